use std::io::BufRead;

use super::*;

fn is_gone(pid: Pid) -> bool {
    !Path::new(&format!("/proc/{}", pid.as_raw_nonzero())).exists()
}

#[test]
fn a_host_is_stopped_in_good_order_and_leaves_no_zombie() {
    let lab = Lab::start();
    let pid = lab.pid();
    let began = Instant::now();
    lab.hosted.stop(AMPLE);
    assert!(began.elapsed() < AMPLE);
    assert_eq!(lab.mark(), "finalised");
    assert!(!lab.hosted.is_alive());
    assert!(is_gone(pid), "its exit status was taken");
}

#[test]
fn calls_in_progress_end_before_the_module_is_finalised() {
    let lab = Lab::start();
    let mut link = lab.link();
    let grace = Duration::from_millis(300);
    std::thread::scope(|scope| {
        let caller = scope.spawn(move || link.call(&seed(b"hang"), &mut [], None));
        wait_until("the module has the call", || lab.mark() == "taken");
        let began = Instant::now();
        lab.hosted.stop(grace);
        assert!(
            began.elapsed() >= grace,
            "it waits for the call as long as it may"
        );
        assert_eq!(
            caller.join().expect("no panic"),
            failed(Delivery::Unknown, LinkCause::HostEnded)
        );
    });
    assert_eq!(
        lab.mark(),
        "taken",
        "a module is not finalised under a call"
    );
}

#[test]
fn a_module_that_does_not_finalise_is_killed_after_the_grace_period() {
    let grace = Duration::from_millis(200);
    in_time(grace * 2, || {
        let lab = Lab::start_with(settings("/never-finalising.so"));
        let pid = lab.pid();
        let began = Instant::now();
        lab.hosted.stop(grace);
        let took = began.elapsed();
        assert_eq!(lab.mark(), "finalised");
        wait_until("the host is gone", || {
            lab.hosted.kill();
            is_gone(pid)
        });
        took
    });
}

#[test]
fn a_frozen_host_is_stopped_too() {
    let lab = Lab::start();
    let pid = lab.pid();
    lab.freeze();
    lab.hosted.stop(Duration::from_millis(50));
    wait_until("the host is gone", || {
        lab.hosted.kill();
        is_gone(pid)
    });
}

#[test]
fn a_host_that_is_dropped_is_gone_soon() {
    let lab = Lab::start();
    let (pid, link) = (lab.pid(), lab.link());
    drop(lab);
    wait_until("the host is gone", || has_ended(pid));
    drop(link);
    wait_until("its exit status was taken", || {
        Child::reap_ended();
        is_gone(pid)
    });
}

#[test]
fn a_watcher_sees_the_end() {
    let lab = Lab::start();
    let liveness = lab.hosted.liveness().expect("a descriptor");
    let is_readable =
        |at_most| child::wait_for([(liveness, rustix::event::PollFlags::IN)], at_most) == [true];
    assert!(!is_readable(Duration::ZERO));
    lab.signal(Signal::KILL);
    assert!(is_readable(AMPLE));
}

#[test]
fn a_forked_child_of_the_application_disturbs_nothing() {
    let lab = Lab::start();
    let mut link = lab.link();
    assert_eq!(link.call(&seed(b"x"), &mut [], Some(AMPLE)), Ok(DONE));
    let hosted = &lab.hosted;
    let status = process::in_forked_child(|| {
        hosted.stop(AMPLE);
        hosted.kill();
        let refused = hosted.link().is_err();
        // What a drop in the child would do.
        hosted.shared.kill();
        u8::from(!refused)
    });
    assert_eq!(status, Some(0), "it gets no link, and ends well");
    assert_eq!(link.call(&seed(b"x"), &mut [], Some(AMPLE)), Ok(DONE));
    assert!(lab.hosted.is_alive());
}

/// Tells [`application_process`] what to do with its host.
const HOST_VARIABLE: &str = "EVERSLOT_TEST_HOST";

/// Not a test: an application that has a host and is killed by a test.
#[test]
#[ignore = "started by the tests as a process of its own"]
fn application_process() {
    let Some(what) = std::env::var_os(HOST_VARIABLE) else {
        return; // somebody runs every ignored test
    };
    let lab = Lab::start();
    if what == "frozen" {
        lab.freeze();
    }
    let host = lab.pid().as_raw_nonzero();
    println!("\nhost {host} {}", lab.mark.path().display());
    if what == "in a call" {
        let _killed = lab.link().call(&seed(b"outlive"), &mut [], None);
    }
    hang_for_ever();
}

/// An application with a host.
struct Application {
    process: std::process::Child,
    host: Pid,
    mark: PathBuf,
}

impl Application {
    fn start(what: &str) -> Self {
        let path = module_path!().split_once("::").expect("a crate").1;
        let name = format!("{path}::application_process");
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["--exact", &name, "--ignored", "--nocapture"]);
        command.stdout(std::process::Stdio::piped());
        command.env(HOST_VARIABLE, what);
        let mut process = command.spawn().expect("an application");
        let output = process.stdout.take().expect("its output");
        let mut lines = std::io::BufReader::new(output).lines();
        let said =
            lines.find_map(|line| line.expect("text").strip_prefix("host ").map(str::to_owned));
        let said = said.expect("it says which its host is");
        let (number, mark) = said.split_once(' ').expect("two words");
        Self {
            process,
            host: pid(number.parse().expect("a number")),
            mark: PathBuf::from(mark),
        }
    }

    fn kill(&mut self) {
        self.process.kill().expect("a running application");
        self.process.wait().expect("its end");
    }

    fn mark(&self) -> String {
        std::fs::read_to_string(&self.mark).expect("the mark")
    }
}

impl Drop for Application {
    /// A frozen host that outlived a failed test would keep the standard error of whoever runs the tests open.
    fn drop(&mut self) {
        let _gone_already = (self.process.kill(), self.process.wait());
        let _gone_already = kill_process(self.host, Signal::KILL);
        let _gone_already = std::fs::remove_file(&self.mark);
    }
}

#[test]
fn a_host_ends_when_its_application_is_killed_even_if_it_is_frozen() {
    for what in ["idle", "frozen"] {
        let mut application = Application::start(what);
        assert!(!has_ended(application.host));
        application.kill();
        wait_until("the host is gone", || has_ended(application.host));
    }
}

#[test]
fn a_call_in_progress_ends_before_the_host_of_an_application_that_is_killed() {
    let mut application = Application::start("in a call");
    wait_until("the module has the call", || application.mark() == "taken");
    application.kill();
    wait_until("the host is gone", || has_ended(application.host));
    assert_eq!(application.mark(), "outlived");
}
