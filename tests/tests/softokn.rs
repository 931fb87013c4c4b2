//! NSS's softokn as a member: a token of the desktop that has interface 3.0.

use std::path::Path;
use std::process::Command;

use cryptoki_sys::{
    CKA_DECRYPT, CKA_ENCRYPT, CKA_VALUE_LEN, CKG_GENERATE, CKG_NO_GENERATE, CKM_AES_KEY_GEN,
};
use everslot_core::ckr;
use everslot_tests::client::{Gcm, Mechanism, Template};
use everslot_tests::{Lab, PATIENCE, PIN, Plan, eventually};

/// Makes a database of NSS's in `directory`.
fn make_database(directory: &Path) {
    let password = directory.join("password");
    std::fs::write(&password, PIN).expect("the directory is writable");
    let made = Command::new("certutil")
        .arg("-N")
        .arg("-d")
        .arg(format!("sql:{}", directory.display()))
        .arg("-f")
        .arg(&password)
        .status()
        .expect("certutil is installed; `make test` does it");
    assert!(made.success(), "certutil makes a database");
}

/// Puts NSS beside the lab's SoftHSM member, which has interface 2.40 only.
fn add_softokn(lab: &Lab, database: &Path) {
    let text = std::fs::read_to_string(lab.config_path()).expect("it is there");
    let library = format!(
        "/usr/lib/{}-linux-gnu/libsoftokn3.so",
        std::env::consts::ARCH
    );
    let text = format!(
        "{text}\n[[group.member]]\nname = \"nss\"\nmodule = \"{library}\"\ntoken = \"NSS Certificate DB\"\n\
         init_string = \"configdir='sql:{}' certPrefix='' keyPrefix='' secmod='secmod.db' flags=\"\n",
        database.display()
    );
    std::fs::write(lab.config_path(), text).expect("it is writable");
}

#[test]
fn messages_go_to_the_member_that_knows_them() {
    let lab = Lab::new(Plan {
        members: 1,
        ..Plan::default()
    });
    let database = lab.directory().join("nss");
    std::fs::create_dir(&database).expect("the lab's directory is writable");
    make_database(&database);
    add_softokn(&lab, &database);
    let module = lab.module();
    eventually("both members serve", PATIENCE, || {
        lab.codes() == ["CKR_OK"; 2]
    });
    let session = lab.public_session(module);
    session.login(lab.pin()).expect("the PIN is right");

    let template = Template::new()
        .on_token(false)
        .number(CKA_VALUE_LEN, 32)
        .flag(CKA_ENCRYPT, true)
        .flag(CKA_DECRYPT, true);
    let mut begun = None;
    for _ in 0..16 {
        let key = session
            .generate_key(Mechanism::Plain(CKM_AES_KEY_GEN), &template)
            .expect("either member makes keys");
        match session
            .message_encrypt_init(key)
            .map_err(|failure| failure.code)
        {
            Ok(()) => {
                begun = Some(key);
                break;
            }
            // SoftHSM has made it, which has no such function, and NSS has not got the key.
            Err(rv) => assert!(
                matches!(
                    rv,
                    ckr::FUNCTION_NOT_SUPPORTED | ckr::KEY_HANDLE_INVALID | ckr::DEVICE_ERROR
                ),
                "{rv}"
            ),
        }
    }
    let key = begun.expect("NSS has made one of the keys");
    session.message_encrypt_final().expect("it ends");
    // NSS lets one operation have one generator only.
    for generator in [CKG_NO_GENERATE, CKG_GENERATE] {
        session.message_encrypt_init(key).expect("it begins");
        session.message_decrypt_init(key).expect("it begins");
        let mut gcm = Gcm {
            iv: [1; 12],
            tag: [0; 16],
            generator,
        };
        let encrypted = session
            .encrypt_message(&mut gcm, b"about it", b"a message")
            .expect("NSS encrypts");
        assert_ne!(encrypted, b"a message");
        assert_eq!(gcm.iv == [1; 12], generator == CKG_NO_GENERATE);
        gcm.generator = CKG_NO_GENERATE;
        let decrypted = session.decrypt_message(&mut gcm, b"about it", &encrypted);
        assert_eq!(decrypted.as_deref(), Ok(&b"a message"[..]));
        gcm.tag[0] ^= 1;
        session
            .decrypt_message(&mut gcm, b"about it", &encrypted)
            .expect_err("the tag is wrong");
        session.message_encrypt_final().expect("it ends");
        session.message_decrypt_final().expect("it ends");
    }
}
