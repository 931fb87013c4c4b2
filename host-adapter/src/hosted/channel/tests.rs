use std::sync::atomic::AtomicBool;

use super::*;

/// The host is a thread of the test; it never ends by itself.
struct Alive;

impl Peer for Alive {
    fn is_known_to_have_ended(&self) -> bool {
        false
    }

    fn has_ended(&self) -> bool {
        false
    }
}

struct Plain(Vec<u8>);

impl Message for Plain {
    fn write(&self, buffer: &mut [u8]) -> Option<usize> {
        buffer.get_mut(..self.0.len())?.copy_from_slice(&self.0);
        Some(self.0.len())
    }

    fn size(&self) -> usize {
        self.0.len()
    }
}

/// Puts out what it was sent, from its end to its start, and replies with its length.
#[derive(Default)]
struct Mirror(Vec<u8>);

impl Serve for Mirror {
    fn serve(
        &mut self,
        request: &[u8],
        room: u64,
        reply: &mut [u8; REPLY],
    ) -> Result<Served, NotServed> {
        if request == b"garbled" {
            return Err(NotServed::Garbled);
        }
        if (room as usize) < request.len() {
            return Err(NotServed::NoMemory);
        }
        self.0 = request.iter().rev().copied().collect();
        reply[..8].copy_from_slice(&(request.len() as u64).to_le_bytes());
        Ok(Served {
            reply: 8,
            output: request.len(),
        })
    }

    fn output(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

struct Pair {
    client: ClientEnd,
    region: Arc<Region>,
    host: Option<std::thread::JoinHandle<()>>,
}

impl Pair {
    fn new() -> Self {
        let pair = Self::without_host();
        let (region, board) = (Arc::clone(&pair.region), Arc::clone(&pair.client.board));
        let spinner = Spinner::host(crate::hosted::spin::HostNumber::next(), 1);
        let mut host = HostEnd::new(region, board, 1, spinner, Mirror::default());
        Self {
            host: Some(std::thread::spawn(move || host.run())),
            ..pair
        }
    }

    fn without_host() -> Self {
        let region = Arc::new(Region::create(2).expect("a region").0);
        let board = Arc::new(Board::create().expect("a board").0);
        Self {
            client: ClientEnd::new(Arc::clone(&region), board, 1),
            region,
            host: None,
        }
    }

    fn mirror(&mut self, request: Vec<u8>) -> Vec<u8> {
        let (mut reply, mut output) = ([0; REPLY], vec![0xAA; request.len()]);
        let length = request.len();
        let answered = self
            .client
            .exchange(&Plain(request), &mut reply, &mut output, None, &Alive);
        assert_eq!(
            answered,
            Ok(Answered::Executed(Served {
                reply: 8,
                output: length
            }))
        );
        assert_eq!(reply[..8], (length as u64).to_le_bytes());
        output
    }

    fn ask(
        &mut self,
        request: &[u8],
        room: usize,
        deadline: Duration,
    ) -> Result<Answered, LinkFailure> {
        let mut output = vec![0; room];
        self.client.exchange(
            &Plain(request.to_vec()),
            &mut [0; REPLY],
            &mut output,
            Some(deadline),
            &Alive,
        )
    }

    /// Ends the host and returns whether every byte of the channel's windows is wiped.
    fn end(mut self) -> bool {
        word::close(&self.region.control(1).word);
        self.host
            .take()
            .expect("a host")
            .join()
            .expect("the host ends when it is closed");
        let mut bytes = vec![0; PART];
        let mut is_wiped = true;
        for window in [self.region.request(1), self.region.output(1)] {
            window.read(&mut bytes);
            is_wiped &= bytes.iter().all(|byte| *byte == 0);
        }
        is_wiped
    }
}

fn sample(length: usize) -> Vec<u8> {
    (0..length)
        .map(|index| (index * 7 + index / 251 + 1) as u8)
        .collect()
}

const SHORT: Duration = Duration::from_millis(20);

#[test]
fn requests_and_outputs_of_any_length_cross_and_leave_nothing_behind() {
    let mut pair = Pair::new();
    for length in [0, 1, 100, PART - 1, PART, PART + 1, 2 * PART, 5 * PART + 17] {
        let mut mirrored = pair.mirror(sample(length));
        mirrored.reverse();
        assert!(mirrored == sample(length), "{length} bytes");
    }
    assert!(pair.end());
}

#[test]
fn what_is_too_long_to_carry_is_refused_unread() {
    struct Absurd(usize);
    impl Message for Absurd {
        fn write(&self, buffer: &mut [u8]) -> Option<usize> {
            assert!(buffer.len() <= PART, "no copy is made of it");
            None
        }
        fn size(&self) -> usize {
            self.0
        }
    }
    let mut pair = Pair::new();
    for size in [LONGEST + 1, 1 << 31, usize::MAX] {
        let answered =
            pair.client
                .exchange(&Absurd(size), &mut [0; REPLY], &mut [], Some(SHORT), &Alive);
        assert_eq!(answered, Ok(Answered::NoMemory), "{size} bytes");
    }
    assert_eq!(pair.mirror(b"abc".to_vec()), b"cba");
    pair.end();
}

#[test]
fn a_long_request_that_goes_on_crossing_is_not_late() {
    const TURNS: u32 = 20;
    let pause = SHORT * 2;
    let mut pair = Pair::without_host();
    let region = Arc::clone(&pair.region);
    let host = std::thread::spawn(move || {
        let control = region.control(1);
        for turn in 1..=TURNS {
            while !word::take(&control.word) {
                word::sleep_until_posted(&control.word);
            }
            std::thread::sleep(pause);
            let standing = if turn == TURNS {
                Standing::NoMemory
            } else {
                Standing::Received
            };
            (control.answer.standing).store(standing as u32, Ordering::Relaxed);
            word::answer(&control.word);
        }
    });
    let length = PART * TURNS as usize;
    let answered = pair.ask(&sample(length), 0, pause * (TURNS - 1));
    assert_eq!(answered, Ok(Answered::NoMemory));
    host.join().expect("the host has received it all");
}

#[test]
fn a_host_that_refuses_says_so_and_serves_on() {
    let mut pair = Pair::new();
    let refused = pair.ask(b"garbled", 100, Duration::from_secs(10));
    assert_eq!(
        refused,
        Err(LinkFailure {
            delivery: Delivery::None,
            cause: LinkCause::Garbled
        })
    );
    assert_eq!(
        pair.ask(b"too long", 1, Duration::from_secs(10)),
        Ok(Answered::NoMemory)
    );
    assert_eq!(pair.mirror(b"abc".to_vec()), b"cba");
    assert!(pair.end());
}

#[test]
fn what_nobody_takes_is_cancelled_at_the_deadline_and_surely_not_executed() {
    for length in [10, 3 * PART] {
        let mut pair = Pair::without_host();
        let began = Instant::now();
        let failure = pair.ask(&sample(length), 0, SHORT);
        assert!(began.elapsed() >= SHORT);
        assert_eq!(
            failure,
            Err(LinkFailure {
                delivery: Delivery::None,
                cause: LinkCause::DeadlinePassed
            })
        );
        assert!(!pair.client.is_poisoned());
    }
}

/// Takes what is posted, then does `then` and never answers.
fn take_and(
    pair: &Pair,
    then: impl FnOnce(&Control) + Send + 'static,
) -> std::thread::JoinHandle<()> {
    let region = Arc::clone(&pair.region);
    std::thread::spawn(move || {
        let control = region.control(1);
        while !word::take(&control.word) {
            word::sleep_until_posted(&control.word);
        }
        then(control);
    })
}

#[test]
fn what_was_taken_is_unknown_at_the_deadline_and_nothing_is_sent_after_it() {
    let mut pair = Pair::without_host();
    let host = take_and(&pair, |_| {});
    let failure = pair.ask(b"abc", 3, SHORT);
    assert_eq!(
        failure,
        Err(LinkFailure {
            delivery: Delivery::Unknown,
            cause: LinkCause::DeadlinePassed
        })
    );
    assert!(pair.client.is_poisoned());
    let refused = pair.ask(b"abc", 3, SHORT);
    assert_eq!(
        refused,
        Err(LinkFailure {
            delivery: Delivery::None,
            cause: LinkCause::HostEnded
        })
    );
    host.join().expect("the host has taken it");
}

#[test]
fn the_first_part_of_a_long_request_is_not_executed_even_if_it_was_taken() {
    let mut pair = Pair::without_host();
    let host = take_and(&pair, |_| {});
    let failure = pair.ask(&sample(PART + 1), 3, SHORT);
    assert_eq!(
        failure,
        Err(LinkFailure {
            delivery: Delivery::None,
            cause: LinkCause::DeadlinePassed
        })
    );
    assert!(pair.client.is_poisoned());
    host.join().expect("the host has taken it");
}

#[test]
fn what_a_broken_host_says_is_checked_against_its_bounds() {
    let long = u32::try_from(PART + 1).expect("a part is short");
    let lies: [(u32, u32, u32, u64); 6] = [
        (Standing::Executed as u32, REPLY as u32 + 1, 0, 0),
        (Standing::Executed as u32, 0, 101, 0),
        (Standing::Executed as u32, 0, long, 0),
        (Standing::Executed as u32, 0, u32::MAX, u64::MAX),
        (Standing::Executed as u32, 0, 0, 1),
        (99, 0, 0, 0),
    ];
    for (standing, reply, output, rest) in lies {
        let mut pair = Pair::without_host();
        let host = take_and(&pair, move |control| {
            control.answer.standing.store(standing, Ordering::Relaxed);
            control.answer.reply.store(reply, Ordering::Relaxed);
            control.answer.output.store(output, Ordering::Relaxed);
            control.answer.rest.store(rest, Ordering::Relaxed);
            word::answer(&control.word);
        });
        let room = if output == long { 2 * PART } else { 100 };
        let failure = pair.ask(b"abc", room, Duration::from_secs(10));
        let garbled = LinkFailure {
            delivery: Delivery::Unknown,
            cause: LinkCause::Garbled,
        };
        assert_eq!(failure, Err(garbled), "{standing} {reply} {output} {rest}");
        host.join().expect("the host has answered");
    }
}

#[test]
fn a_closed_channel_refuses_and_a_client_asleep_is_told_of_the_hosts_end() {
    struct Ending<'a>(&'a AtomicBool);
    impl Peer for Ending<'_> {
        fn is_known_to_have_ended(&self) -> bool {
            self.0.load(Ordering::Acquire)
        }
        fn has_ended(&self) -> bool {
            self.is_known_to_have_ended()
        }
    }
    let mut pair = Pair::without_host();
    let ended = AtomicBool::new(false);
    let (region, ended) = (Arc::clone(&pair.region), &ended);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while !word::is_busy(&region.control(1).word) {
                std::thread::yield_now();
            }
            ended.store(true, Ordering::Release);
            word::Word::wake(&region.control(1).word);
        });
        let failure = pair.client.exchange(
            &Plain(vec![1]),
            &mut [0; REPLY],
            &mut [],
            None,
            &Ending(ended),
        );
        assert_eq!(
            failure,
            Err(LinkFailure {
                delivery: Delivery::None,
                cause: LinkCause::HostEnded
            })
        );
    });
    word::close(&pair.region.control(1).word);
    let refused = pair.ask(b"abc", 3, SHORT);
    assert_eq!(
        refused,
        Err(LinkFailure {
            delivery: Delivery::None,
            cause: LinkCause::Exhausted
        })
    );
}

#[test]
fn a_part_out_of_its_order_is_refused() {
    let pair = Pair::new();
    let control = pair.region.control(1);
    for part in [Part::Middle as u32, Part::Last as u32, 0, 77] {
        control.call.part.store(part, Ordering::Relaxed);
        control.call.length.store(1, Ordering::Relaxed);
        word::post(&control.word).expect("the channel is open");
        while !word::is_answered(&control.word) {
            word::sleep_until_answered(&control.word, SLICE);
        }
        assert_eq!(
            control.answer.standing.load(Ordering::Relaxed),
            Standing::Garbled as u32,
            "part {part}"
        );
    }
    pair.end();
}
