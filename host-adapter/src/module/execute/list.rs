//! Calls whose output is a list of numbers, 8 bytes each.

use cryptoki_sys::{CKR_BUFFER_TOO_SMALL, CKR_GENERAL_ERROR};
use everslot_protocol::{Body, Reply, Rv};

use super::bare;
use crate::module::functions::{Functions, Gave};
use crate::module::memory::WORD;
use crate::module::template::CTemplate;

/// How often a list that grows while it is asked for is asked for again.
const TRIES: usize = 8;

/// No module has more slots or mechanisms.
const COUNT_MAX: u64 = 0x1_0000;

/// How many objects are asked for at once.
const OBJECTS_AT_ONCE: usize = 256;

/// The slots. The call without a list is what makes a module look which slots there are (PKCS#11 v3.1 §5.5.1).
pub(super) fn slots(functions: Functions, token_present: bool, output: &mut [u8]) -> Reply {
    whole_list(|list| functions.slot_list(token_present, list), output)
}

pub(super) fn mechanisms(functions: Functions, slot: u64, output: &mut [u8]) -> Reply {
    whole_list(|list| functions.mechanism_list(slot, list), output)
}

fn whole_list(mut call: impl FnMut(Option<&mut [u64]>) -> Gave<u64>, output: &mut [u8]) -> Reply {
    for _ in 0..TRIES {
        let (rv, count) = call(None);
        if rv != Rv::OK {
            return bare(rv);
        }
        if count > COUNT_MAX {
            return bare(Rv(CKR_GENERAL_ERROR));
        }
        let mut list = vec![0; count as usize];
        let (rv, count) = call(Some(&mut list));
        match rv {
            Rv::OK => {
                list.truncate(count as usize);
                let mut numbers = Numbers { output, count: 0 };
                numbers.put(&list);
                return numbers.reply();
            }
            Rv(CKR_BUFFER_TOO_SMALL) => {}
            Rv(_) => return bare(rv),
        }
    }
    bare(Rv(CKR_GENERAL_ERROR))
}

/// The objects of that template; the search is ended whatever comes of it.
pub(super) fn objects(
    functions: Functions,
    session: u64,
    template: &mut CTemplate<'_>,
    output: &mut [u8],
) -> Reply {
    let rv = functions.find_objects_init(session, template);
    if rv != Rv::OK {
        return bare(rv);
    }
    let mut numbers = Numbers { output, count: 0 };
    let searched = search(functions, session, &mut numbers);
    // What was found is found whatever the end of the search says; a session that is gone shows at the next call.
    let _ = functions.find_objects_final(session);
    match searched {
        Rv::OK => numbers.reply(),
        Rv(_) => bare(searched),
    }
}

fn search(functions: Functions, session: u64, found: &mut Numbers<'_>) -> Rv {
    let mut objects = [0; OBJECTS_AT_ONCE];
    loop {
        let (rv, count) = functions.find_objects(session, &mut objects);
        if rv != Rv::OK || count == 0 {
            return rv;
        }
        let count = objects
            .len()
            .min(usize::try_from(count).unwrap_or(usize::MAX));
        found.put(&objects[..count]);
    }
}

/// Numbers on their way to the output, counted beyond its end.
struct Numbers<'o> {
    output: &'o mut [u8],
    count: usize,
}

impl Numbers<'_> {
    fn put(&mut self, numbers: &[u64]) {
        for number in numbers {
            let place = self
                .output
                .get_mut(self.count * WORD..)
                .and_then(|rest| rest.first_chunk_mut());
            if let Some(place) = place {
                *place = number.to_ne_bytes();
            }
            self.count += 1;
        }
    }

    const fn reply(&self) -> Reply {
        let length = self.count * WORD;
        if length <= self.output.len() {
            Reply {
                rv: Rv::OK,
                body: Body::Written(length as u64),
            }
        } else {
            Reply {
                rv: Rv(CKR_BUFFER_TOO_SMALL),
                body: Body::Length(length as u64),
            }
        }
    }
}
