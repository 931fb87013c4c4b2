use std::io::Read;

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

/// Tells [`application_process`] whether to freeze its host.
const FREEZE_VARIABLE: &str = "EVERSLOT_TEST_FREEZE";

/// Not a test: an application that has a host and is killed by a test.
#[test]
#[ignore = "started by the tests as a process of its own"]
fn application_process() {
    let Some(freeze) = std::env::var_os(FREEZE_VARIABLE) else {
        return; // somebody runs every ignored test
    };
    let lab = Lab::start();
    if freeze == "true" {
        lab.freeze();
    }
    println!("host {}.", lab.pid().as_raw_nonzero());
    hang_for_ever();
}

/// A frozen host that outlived a failed test would keep the standard error of whoever runs the tests open.
struct KilledAtLast(Pid);

impl Drop for KilledAtLast {
    fn drop(&mut self) {
        let _gone_already = kill_process(self.0, Signal::KILL);
    }
}

#[test]
fn a_host_ends_when_its_application_is_killed_even_if_it_is_frozen() {
    for freeze in [false, true] {
        let name = format!(
            "{}::application_process",
            module_path!().split_once("::").expect("a crate").1
        );
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command
            .args(["--exact", &name, "--ignored", "--nocapture"])
            .stdout(std::process::Stdio::piped());
        command.env(FREEZE_VARIABLE, freeze.to_string());
        let mut application = command.spawn().expect("an application");
        let mut text = String::new();
        let mut output = application.stdout.take().expect("its output");
        while !text.contains('.') || !text.contains("host ") {
            let mut byte = [0];
            output
                .read_exact(&mut byte)
                .expect("the application says which its host is");
            text.push(char::from(byte[0]));
        }
        let number = text
            .rsplit_once("host ")
            .expect("a host")
            .1
            .trim_end_matches('.')
            .parse()
            .expect("a number");
        let _surely = KilledAtLast(pid(number));
        assert!(!has_ended(pid(number)));
        application.kill().expect("a running application");
        application.wait().expect("its end");
        wait_until("the host is gone", || has_ended(pid(number)));
    }
}
