use super::*;

fn start(module: &str, deadline: Duration) -> (LinkCause, Duration) {
    let program = host_program();
    let began = Instant::now();
    let failure = Hosted::start(&settings(module), &program, 1, deadline).expect_err("no host");
    assert_eq!(failure.delivery, Delivery::None);
    (failure.cause, began.elapsed())
}

#[test]
fn what_is_wrong_with_a_module_is_told() {
    assert_eq!(start("/absent.so", AMPLE).0, LinkCause::ModuleNotLoaded);
    assert_eq!(
        start("/refusing.so", AMPLE).0,
        LinkCause::NotInitialized(Rv(0x30))
    );
    assert_eq!(start("/crashing.so", AMPLE).0, LinkCause::HostEnded);
}

#[test]
fn a_module_that_hangs_in_initialize_is_given_up_at_the_deadline() {
    let deadline = Duration::from_millis(300);
    in_time(deadline + Duration::from_millis(50), || {
        let (cause, took) = start("/hanging.so", deadline);
        assert_eq!(cause, LinkCause::DeadlinePassed);
        assert!(took >= deadline, "{took:?}");
        took
    });
}

#[test]
fn a_program_that_is_no_host_is_told_apart() {
    let start = |program: &str| {
        Hosted::start(&settings("/made-up.so"), Path::new(program), 1, AMPLE)
            .expect_err("no host")
            .cause
    };
    assert_eq!(start("/nowhere/everslot"), LinkCause::HostNotStarted);
    assert_eq!(start("/dev/null"), LinkCause::HostNotStarted);
    // It ends before or after it was told what to do.
    assert!([LinkCause::HostEnded, LinkCause::HostNotStarted].contains(&start("/bin/true")));
}

#[test]
fn a_host_has_its_settings_and_nothing_else_of_the_application() {
    let not_for_hosts = tempfile::NamedTempFile::new().expect("a temporary file");
    // `dup` gives a descriptor that is not closed on exec, as careless applications have them.
    let careless = rustix::io::dup(&not_for_hosts).expect("a descriptor");
    let mut settings = settings("/made-up.so");
    settings
        .environment
        .insert("SOFTHSM2_CONF".to_owned(), "/its/own.conf".to_owned());
    settings.init_string = Some("configdir='sql:/db' pin=4711".to_owned());
    let lab = Lab::start_with(settings);

    assert_eq!(fact(&lab, "SOFTHSM2_CONF"), "/its/own.conf");
    assert_eq!(
        fact(&lab, "PATH"),
        std::env::var("PATH").unwrap_or_default()
    );
    assert_eq!(fact(&lab, "init string"), "configdir='sql:/db' pin=4711");
    let command_line = fact(&lab, "command line");
    assert!(!command_line.contains("4711"), "{command_line}");

    let open = fact(&lab, "open files");
    let path = not_for_hosts.path().to_str().expect("UTF-8");
    assert!(!open.contains(path), "{open}");
    assert_eq!(
        open.lines()
            .filter(|file| file.starts_with("socket:"))
            .count(),
        1,
        "{open}"
    );
    assert_eq!(
        open.lines().filter(|file| *file == "/dev/null").count(),
        2,
        "{open}"
    );
    drop(careless);
}

#[test]
fn a_host_neither_dumps_core_nor_dies_of_a_broken_pipe_nor_of_ctrl_c() {
    let lab = Lab::start();
    let status = fact(&lab, "status");
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:\t"))
        .expect("a mask");
    let ignored = u64::from_str_radix(ignored, 16).expect("a mask");
    assert_ne!(
        ignored & 1 << (Signal::PIPE.as_raw() - 1),
        0,
        "SIGPIPE is ignored"
    );
    let limits = fact(&lab, "limits");
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .expect("a limit");
    assert_eq!(
        core.split_whitespace().filter(|word| *word == "0").count(),
        2,
        "{core}"
    );
    let group = rustix::process::getpgid(Some(lab.pid())).expect("its group");
    assert_eq!(group, lab.pid(), "a group of its own");
}
