use everslot_protocol::{Mechanism, Parameter};

use super::*;

fn sample(length: usize) -> Vec<u8> {
    (0..length)
        .map(|index| (index * 7 + index / 251) as u8)
        .collect()
}

fn assert_mirrors(link: &mut dyn Link, data: &[u8]) {
    let mut output = vec![0; data.len() + 3];
    let reply = link.call(&mirror(data), &mut output, Some(AMPLE));
    assert_eq!(
        reply,
        Ok(Reply {
            rv: Rv::OK,
            body: Body::Written(data.len() as u64)
        })
    );
    assert!(
        output[..data.len()].iter().rev().eq(data),
        "{} bytes",
        data.len()
    );
}

#[test]
fn requests_and_outputs_of_any_length_cross() {
    let lab = Lab::start();
    let mut link = lab.link();
    for length in [0, 1, 100, 65_000, 65_536, 70_000, 2_000_000] {
        assert_mirrors(&mut *link, &sample(length));
    }
    assert_eq!(
        link.call(&Request::ModuleInfo, &mut [], Some(AMPLE)),
        Ok(DONE)
    );
    assert_eq!(link.call(&Request::ModuleInfo, &mut [], None), Ok(DONE));
}

#[test]
fn many_links_are_served_at_once() {
    let hosted =
        Hosted::start(&settings("/made-up.so"), &host_program(), 32, AMPLE).expect("a host");
    std::thread::scope(|scope| {
        for thread in 0..32 {
            let mut link = hosted.link().expect("a link");
            scope.spawn(move || {
                for call in 0..200 {
                    assert_mirrors(&mut *link, &sample(thread * 31 + call));
                }
            });
        }
    });
}

#[test]
fn a_link_that_is_dropped_makes_room_for_another() {
    let hosted =
        Hosted::start(&settings("/made-up.so"), &host_program(), 2, AMPLE).expect("a host");
    let (first, mut second) = (
        hosted.link().expect("a link"),
        hosted.link().expect("a link"),
    );
    assert_eq!(hosted.link().err(), Some(failure(LinkCause::Exhausted)));
    drop(first);
    let mut third = hosted.link().expect("the first one's room");
    assert_mirrors(&mut *third, b"abc");
    assert_mirrors(&mut *second, b"abc");
}

#[test]
fn a_parameter_that_may_hold_addresses_does_not_cross() {
    let lab = Lab::start();
    let mechanism = Mechanism {
        kind: 0x8000_1234,
        parameter: Parameter::Flat(Bytes(&[1, 2, 3])),
    };
    let begin = Request::Begin {
        session: SessionHandle(1),
        operation: Operation::Sign,
        mechanism,
        key: None,
    };
    let refused = lab.link().call(&begin, &mut [], Some(AMPLE));
    assert_eq!(refused, failed(Delivery::None, LinkCause::NotTransferable));
}
