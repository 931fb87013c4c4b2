//! The `cryptoki` crate, which Rust applications use, through the module.

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, ObjectClass};
use cryptoki::session::UserType;
use everslot_tests::{Artifact, EC_LABEL, Lab};

#[test]
fn it_signs_while_members_are_killed() {
    let lab = Lab::softhsm();
    let module = Pkcs11::new(Artifact::Module.path()).expect("it loads");
    module
        .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
        .expect("it begins");
    lab.wait_until_all_serve();
    let slots = module.get_slots_with_token().expect("slots are listed");
    let [slot] = slots[..] else {
        panic!("one slot, not {slots:?}")
    };
    assert_eq!(
        module
            .get_token_info(slot)
            .expect("it tells of its token")
            .label(),
        Lab::LABEL
    );
    let session = module.open_rw_session(slot).expect("it opens");
    session
        .login(UserType::User, Some(&lab.pin().into()))
        .expect("the PIN is right");
    let find = |class| {
        let found = session
            .find_objects(&[Attribute::Class(class), Attribute::Label(EC_LABEL.into())])
            .expect("the search goes well");
        found[0]
    };
    let (private, public) = (
        find(ObjectClass::PRIVATE_KEY),
        find(ObjectClass::PUBLIC_KEY),
    );
    for round in 0..9_u8 {
        if round % 3 == 0 {
            lab.wait_until_all_serve();
            lab.host(usize::from(round / 3)).kill();
        }
        let hash = [round; 32];
        let signature = session
            .sign(&Mechanism::Ecdsa, private, &hash)
            .expect("a member is left");
        session
            .verify(&Mechanism::Ecdsa, public, &hash, &signature)
            .expect("it is right");
    }
}
