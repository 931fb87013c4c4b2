use super::*;

const DEADLINE: Duration = Duration::from_millis(200);
const SLACK: Duration = Duration::from_millis(50);

/// Begins a call that never ends, waits until the module has it, does `then`, and gives what the caller got and when after `then`.
fn in_a_call(
    lab: &Lab,
    deadline: Deadline,
    then: impl FnOnce(),
) -> (Result<Reply, LinkFailure>, Duration) {
    let mut link = lab.link();
    std::thread::scope(|scope| {
        let caller =
            scope.spawn(move || (link.call(&seed(b"hang"), &mut [], deadline), Instant::now()));
        wait_until("the module has the call", || lab.mark() == "taken");
        let began = Instant::now();
        then();
        let (answer, at) = caller.join().expect("no panic");
        (answer, at.saturating_duration_since(began))
    })
}

#[test]
fn killed_while_idle() {
    in_time(SLACK, || {
        let lab = Lab::start();
        let mut link = lab.link();
        assert_eq!(link.call(&seed(b"x"), &mut [], Some(AMPLE)), Ok(DONE));
        lab.signal(Signal::KILL);
        wait_until("the host is gone", || has_ended(lab.pid()));
        let began = Instant::now();
        let answer = link.call(&seed(b"x"), &mut [], Some(AMPLE));
        let took = began.elapsed();
        assert_eq!(answer, failed(Delivery::None, LinkCause::HostEnded));
        assert!(!lab.hosted.is_alive());
        assert_eq!(lab.hosted.link().err(), Some(failure(LinkCause::HostEnded)));
        took
    });
}

#[test]
fn killed_in_a_call() {
    in_time(SLACK, || {
        let lab = Lab::start();
        let (answer, took) = in_a_call(&lab, None, || lab.signal(Signal::KILL));
        assert_eq!(answer, failed(Delivery::Unknown, LinkCause::HostEnded));
        took
    });
}

#[test]
fn killed_by_us_in_a_call() {
    in_time(SLACK, || {
        let lab = Lab::start();
        let (answer, took) = in_a_call(&lab, None, || lab.hosted.kill());
        assert_eq!(answer, failed(Delivery::Unknown, LinkCause::HostEnded));
        assert!(!lab.hosted.is_alive());
        took
    });
}

#[test]
fn crashed_by_its_module() {
    let lab = Lab::start();
    let answer = lab.link().call(&seed(b"crash"), &mut [], Some(AMPLE));
    assert_eq!(answer, failed(Delivery::Unknown, LinkCause::HostEnded));
    assert!(!lab.hosted.is_alive());
}

#[test]
fn frozen_before_it_was_asked() {
    let lab = Lab::start();
    let (mut link, mut other) = (lab.link(), lab.link());
    assert_eq!(link.call(&seed(b"x"), &mut [], Some(AMPLE)), Ok(DONE));
    lab.freeze();
    for link in [&mut link, &mut other] {
        let link = std::cell::RefCell::new(link);
        in_time(DEADLINE + SLACK, || {
            let began = Instant::now();
            let answer = link.borrow_mut().call(&seed(b"x"), &mut [], Some(DEADLINE));
            let took = began.elapsed();
            assert_eq!(answer, failed(Delivery::None, LinkCause::DeadlinePassed));
            assert!(took >= DEADLINE, "{took:?}");
            took
        });
    }
    assert!(lab.hosted.is_alive());
    lab.signal(Signal::CONT);
    assert_eq!(link.call(&seed(b"x"), &mut [], Some(AMPLE)), Ok(DONE));
    assert_eq!(other.call(&seed(b"x"), &mut [], Some(AMPLE)), Ok(DONE));
}

#[test]
fn frozen_in_a_call() {
    in_time(DEADLINE + SLACK, || {
        let lab = Lab::start();
        let (answer, took) = in_a_call(&lab, Some(DEADLINE), || lab.freeze());
        assert_eq!(answer, failed(Delivery::Unknown, LinkCause::DeadlinePassed));
        lab.hosted.kill();
        wait_until("the frozen host is gone", || has_ended(lab.pid()));
        took
    });
}

#[test]
fn hung_in_one_call_while_others_go_on() {
    in_time(DEADLINE + SLACK, || {
        let lab = Lab::start();
        let (mut hung, mut other) = (lab.link(), lab.link());
        let began = Instant::now();
        let answer = hung.call(&seed(b"hang"), &mut [], Some(DEADLINE));
        let took = began.elapsed();
        assert_eq!(answer, failed(Delivery::Unknown, LinkCause::DeadlinePassed));
        assert!(took >= DEADLINE, "{took:?}");
        assert_eq!(other.call(&seed(b"x"), &mut [], Some(AMPLE)), Ok(DONE));
        // What is still at work there must not be mistaken for the answer to something else.
        assert_eq!(
            hung.call(&seed(b"x"), &mut [], Some(AMPLE)),
            failed(Delivery::None, LinkCause::HostEnded)
        );
        drop(hung);
        let links: Vec<_> = (0..6).map(|_| lab.link()).collect();
        assert_eq!(
            lab.hosted.link().err(),
            Some(failure(LinkCause::Exhausted)),
            "8 channels, one of them lost"
        );
        drop(links);
        took
    });
}

#[test]
fn everybody_who_waits_is_told_of_the_end() {
    in_time(SLACK, || {
        let lab = Lab::start();
        let mut links: Vec<_> = (0..8).map(|_| lab.link()).collect();
        std::thread::scope(|scope| {
            let callers: Vec<_> = links
                .iter_mut()
                .map(|link| {
                    scope.spawn(move || (link.call(&seed(b"hang"), &mut [], None), Instant::now()))
                })
                .collect();
            wait_until("the module has a call", || lab.mark() == "taken");
            let began = Instant::now();
            lab.hosted.kill();
            let told = callers.into_iter().map(|caller| {
                let (answer, at) = caller.join().expect("no panic");
                assert_eq!(
                    answer.map_err(|failure| failure.cause),
                    Err(LinkCause::HostEnded)
                );
                at.saturating_duration_since(began)
            });
            told.max().expect("callers")
        })
    });
}
