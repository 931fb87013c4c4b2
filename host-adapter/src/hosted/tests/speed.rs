use super::*;

/// The median, and the mean of the fastest tenth, in microseconds.
fn figures(mut times: Vec<Duration>) -> (f64, f64) {
    times.sort_unstable();
    let micros = |time: Duration| time.as_nanos() as f64 / 1000.0;
    let best = &times[..times.len() / 10];
    (
        micros(times[times.len() / 2]),
        micros(best.iter().sum::<Duration>() / best.len() as u32),
    )
}

fn round_trips(link: &mut dyn Link, rounds: usize) -> Vec<Duration> {
    let (data, mut output) = ([7; 100], [0; 100]);
    (0..rounds)
        .map(|_| {
            let began = Instant::now();
            link.call(&mirror(&data), &mut output, Some(AMPLE))
                .expect("an answer");
            began.elapsed()
        })
        .collect()
}

#[test]
#[ignore = "a measurement: run it with --release --ignored --nocapture"]
fn round_trip() {
    let lab = Lab::start();
    let mut link = lab.link();
    round_trips(&mut *link, 1000);
    let (median, best) = figures(round_trips(&mut *link, 10_000));
    println!("one host: 100 bytes there and back: median {median:.2} us, best tenth {best:.2} us");

    let labs: Vec<_> = (0..3).map(|_| Lab::start()).collect();
    let mut links: Vec<_> = labs.iter().map(Lab::link).collect();
    let mut times = Vec::new();
    for _ in 0..3_000 {
        for link in &mut links {
            times.extend(round_trips(&mut **link, 1));
        }
    }
    let (median, best) = figures(times);
    println!("three hosts in turn: median {median:.2} us, best tenth {best:.2} us");

    let times: Vec<_> = std::thread::scope(|scope| {
        let callers: Vec<_> = links
            .iter_mut()
            .take(2)
            .map(|link| scope.spawn(|| round_trips(&mut **link, 5_000)))
            .collect();
        callers
            .into_iter()
            .flat_map(|caller| caller.join().expect("no panic"))
            .collect()
    });
    let (median, best) = figures(times);
    println!("two threads, a host each: median {median:.2} us, best tenth {best:.2} us");
}
