//! NSS's softokn as a member: a token of the desktop that has interface 3.0.

use std::path::Path;
use std::process::Command;

use cryptoki_sys::{
    CKA_DECRYPT, CKA_ENCRYPT, CKA_KEY_TYPE, CKA_VALUE_LEN, CKG_GENERATE, CKG_NO_GENERATE, CKK_AES,
    CKM_AES_KEY_GEN, CKM_SSL3_PRE_MASTER_KEY_GEN, CKO_SECRET_KEY,
};
use everslot_core::ckr;
use everslot_tests::client::{Gcm, Mechanism, Session, Template};
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
fn add_softokn(lab: &Lab, token: &str, database: &Path) {
    let text = std::fs::read_to_string(lab.config_path()).expect("it is there");
    let library = format!(
        "/usr/lib/{}-linux-gnu/libsoftokn3.so",
        std::env::consts::ARCH
    );
    let text = format!(
        "{text}\n[[group.member]]\nname = \"nss\"\nmodule = \"{library}\"\ntoken = \"{token}\"\n\
         init_string = \"configdir='sql:{}' certPrefix='' keyPrefix='' secmod='secmod.db' flags=\"\n",
        database.display()
    );
    std::fs::write(lab.config_path(), text).expect("it is writable");
}

/// A session, which nobody has logged in to, of a group of a SoftHSM token and one of NSS's.
fn session(lab: &Lab, token: &str) -> Session {
    let database = lab.directory().join("nss");
    std::fs::create_dir(&database).expect("the lab's directory is writable");
    make_database(&database);
    add_softokn(lab, token, &database);
    let module = lab.module();
    eventually("both members serve", PATIENCE, || {
        lab.codes() == ["CKR_OK"; 2]
    });
    lab.public_session(module)
}

#[test]
fn messages_go_to_the_member_that_knows_them() {
    let lab = Lab::new(Plan {
        members: 1,
        ..Plan::default()
    });
    let session = session(&lab, "NSS Certificate DB");
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

#[test]
fn the_keys_of_a_tls_connection_are_derived() {
    let lab = Lab::new(Plan {
        members: 1,
        mechanisms: "any",
        ..Plan::default()
    });
    // NSS has the mechanisms of TLS on the token that nobody logs in to.
    let session = session(&lab, "NSS Generic Crypto Services");
    let template = Template::new().on_token(false);
    let pre_master = session
        .generate_key(
            Mechanism::Flat(CKM_SSL3_PRE_MASTER_KEY_GEN, [3, 3]),
            &template,
        )
        .expect("NSS makes it");
    let (master, version) = session
        .derive_master_key(pre_master, &template)
        .expect("NSS derives it");
    assert_eq!(version, (3, 3), "the version is that in the pre-master key");
    let template = template
        .class(CKO_SECRET_KEY)
        .number(CKA_KEY_TYPE, CKK_AES)
        // Without it NSS makes the keys of the MACs only.
        .number(CKA_VALUE_LEN, 16)
        .flag(CKA_ENCRYPT, true)
        .flag(CKA_DECRYPT, true);
    let material = session
        .derive_key_material(master, &template)
        .expect("NSS derives it");
    assert_ne!(material.ivs[0], material.ivs[1]);
    let [client, server] = material.keys;
    let cipher = Mechanism::AesCbcPad(material.ivs[0]);
    let encrypted = session
        .encrypt(cipher, client, b"a record")
        .expect("the key is usable");
    let again = session.derive_key_material(master, &template);
    let again = again.expect("NSS derives it again").keys;
    let decrypt = |key| session.decrypt(cipher, key, &encrypted);
    assert_eq!(
        decrypt(again[0]).as_deref(),
        Ok(&b"a record"[..]),
        "the same key"
    );
    assert_ne!(
        decrypt(server).as_deref(),
        Ok(&b"a record"[..]),
        "another key"
    );
}
