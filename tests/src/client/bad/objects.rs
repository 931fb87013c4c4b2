//! Objects (§5.7) and templates.

use std::ptr::null_mut;

use cryptoki_sys::{
    CK_ATTRIBUTE, CK_ULONG, CKA_CLASS, CKA_ID, CKA_LABEL, CKA_VALUE, CKA_WRAP_TEMPLATE, CKO_DATA,
};

use super::{BadCall, Bare, ENDLESS, NOTHING, attribute, bad, rv};

/// Attributes that lead to themselves, each a template of them all: read to the end it has no end.
fn in_itself(attributes: &mut [CK_ATTRIBUTE]) -> (*mut CK_ATTRIBUTE, CK_ULONG) {
    let (start, bytes) = (attributes.as_mut_ptr(), size_of_val(attributes));
    for attribute in attributes.iter_mut() {
        attribute.type_ = CKA_WRAP_TEMPLATE;
        attribute.pValue = start.cast();
        attribute.ulValueLen = bytes as CK_ULONG;
    }
    (start, attributes.len() as CK_ULONG)
}

/// Seven templates, each of 64 attributes that all lead to the next: read to the end they are four million million attributes.
fn manifold(levels: &mut [Vec<CK_ATTRIBUTE>; 7]) -> (*mut CK_ATTRIBUTE, CK_ULONG) {
    let mut next = CK_ATTRIBUTE {
        type_: CKA_ID,
        ..Default::default()
    };
    for level in levels.iter_mut().rev() {
        *level = vec![next; 64];
        next = CK_ATTRIBUTE {
            type_: CKA_WRAP_TEMPLATE,
            pValue: level.as_mut_ptr().cast(),
            ulValueLen: size_of_val(level.as_slice()) as CK_ULONG,
        };
    }
    (levels[0].as_mut_ptr(), levels[0].len() as CK_ULONG)
}

pub(super) const CALLS: &[BadCall] = &[
    bad!("C_CreateObject to nowhere", ARGUMENTS_BAD, |g| {
        let mut class = CKO_DATA;
        let mut template = [attribute(CKA_CLASS, &mut class)];
        rv!(
            g,
            C_CreateObject(g.session, template.as_mut_ptr(), 1, null_mut())
        )
    }),
    bad!("C_CreateObject from nowhere", ARGUMENTS_BAD, |g| {
        let mut object = 0;
        rv!(g, C_CreateObject(g.session, null_mut(), 1, &raw mut object))
    }),
    bad!(
        "C_CreateObject of no attributes",
        TEMPLATE_INCOMPLETE,
        Bare::NotAsked,
        |g| {
            let (mut template, mut object) = ([CK_ATTRIBUTE::default()], 0);
            rv!(
                g,
                C_CreateObject(g.session, template.as_mut_ptr(), 0, &raw mut object)
            )
        }
    ),
    bad!(
        "C_CreateObject of endless attributes",
        ARGUMENTS_BAD,
        Bare::NotAsked,
        |g| {
            let mut class = CKO_DATA;
            let (mut template, mut object) = ([attribute(CKA_CLASS, &mut class)], 0);
            rv!(
                g,
                C_CreateObject(g.session, template.as_mut_ptr(), ENDLESS, &raw mut object)
            )
        }
    ),
    bad!(
        "C_CreateObject with a null value of some length",
        ATTRIBUTE_VALUE_INVALID,
        Bare::NotAsked,
        |g| {
            let mut class = CKO_DATA;
            let mut object = 0;
            let mut template = [
                attribute(CKA_CLASS, &mut class),
                CK_ATTRIBUTE {
                    type_: CKA_VALUE,
                    pValue: null_mut(),
                    ulValueLen: 8,
                },
            ];
            rv!(
                g,
                C_CreateObject(g.session, template.as_mut_ptr(), 2, &raw mut object)
            )
        }
    ),
    bad!(
        "C_CreateObject with an endless value",
        ATTRIBUTE_VALUE_INVALID,
        Bare::NotAsked,
        |g| {
            let mut class = CKO_DATA;
            let mut object = 0;
            let mut template = [CK_ATTRIBUTE {
                ulValueLen: ENDLESS,
                ..attribute(CKA_VALUE, &mut class)
            }];
            rv!(
                g,
                C_CreateObject(g.session, template.as_mut_ptr(), 1, &raw mut object)
            )
        }
    ),
    bad!(
        "C_CreateObject with a template in itself",
        ATTRIBUTE_VALUE_INVALID,
        Bare::NotAsked,
        |g| {
            let (mut attributes, mut object) = (vec![CK_ATTRIBUTE::default(); 4096], 0);
            let (template, count) = in_itself(&mut attributes);
            rv!(
                g,
                C_CreateObject(g.session, template, count, &raw mut object)
            )
        }
    ),
    bad!(
        "C_CreateObject with manifold templates",
        ATTRIBUTE_VALUE_INVALID,
        Bare::NotAsked,
        |g| {
            let (mut levels, mut object) = (Default::default(), 0);
            let (template, count) = manifold(&mut levels);
            rv!(
                g,
                C_CreateObject(g.session, template, count, &raw mut object)
            )
        }
    ),
    bad!(
        "C_GetAttributeValue with manifold templates",
        ARGUMENTS_BAD,
        Bare::NotAsked,
        |g| {
            let mut levels = Default::default();
            let (template, count) = manifold(&mut levels);
            rv!(g, C_GetAttributeValue(g.session, g.aes, template, count))
        }
    ),
    bad!(
        "C_CreateObject in no session",
        SESSION_HANDLE_INVALID,
        |g| {
            let mut class = CKO_DATA;
            let (mut template, mut object) = ([attribute(CKA_CLASS, &mut class)], 0);
            rv!(
                g,
                C_CreateObject(NOTHING, template.as_mut_ptr(), 1, &raw mut object)
            )
        }
    ),
    bad!("C_CopyObject to nowhere", ARGUMENTS_BAD, |g| {
        let mut template = [CK_ATTRIBUTE::default()];
        rv!(
            g,
            C_CopyObject(g.session, g.aes, template.as_mut_ptr(), 0, null_mut())
        )
    }),
    bad!("C_CopyObject of nothing", OBJECT_HANDLE_INVALID, |g| {
        let (mut template, mut object) = ([CK_ATTRIBUTE::default()], 0);
        rv!(
            g,
            C_CopyObject(
                g.session,
                NOTHING,
                template.as_mut_ptr(),
                0,
                &raw mut object
            )
        )
    }),
    bad!(
        "C_DestroyObject of nothing",
        OBJECT_HANDLE_INVALID,
        |g| rv!(g, C_DestroyObject(g.session, NOTHING))
    ),
    bad!(
        "C_DestroyObject of the null handle",
        OBJECT_HANDLE_INVALID,
        |g| rv!(g, C_DestroyObject(g.session, 0))
    ),
    bad!(
        "C_DestroyObject without a session",
        SESSION_HANDLE_INVALID,
        |g| rv!(g, C_DestroyObject(NOTHING, g.aes))
    ),
    bad!("C_GetObjectSize to nowhere", ARGUMENTS_BAD, |g| rv!(
        g,
        C_GetObjectSize(g.session, g.aes, null_mut())
    )),
    bad!("C_GetObjectSize of nothing", OBJECT_HANDLE_INVALID, |g| {
        let mut size = 0;
        rv!(g, C_GetObjectSize(g.session, NOTHING, &raw mut size))
    }),
    bad!("C_GetAttributeValue from nowhere", ARGUMENTS_BAD, |g| rv!(
        g,
        C_GetAttributeValue(g.session, g.aes, null_mut(), 1)
    )),
    bad!(
        "C_GetAttributeValue of nothing",
        OBJECT_HANDLE_INVALID,
        |g| {
            let mut template = [CK_ATTRIBUTE {
                type_: CKA_ID,
                ..Default::default()
            }];
            rv!(
                g,
                C_GetAttributeValue(g.session, NOTHING, template.as_mut_ptr(), 1)
            )
        }
    ),
    bad!(
        "C_GetAttributeValue of endless attributes",
        ARGUMENTS_BAD,
        Bare::NotAsked,
        |g| {
            let mut template = [CK_ATTRIBUTE {
                type_: CKA_ID,
                ..Default::default()
            }];
            rv!(
                g,
                C_GetAttributeValue(g.session, g.aes, template.as_mut_ptr(), ENDLESS)
            )
        }
    ),
    bad!(
        "C_GetAttributeValue of an unknown attribute",
        ATTRIBUTE_TYPE_INVALID,
        |g| {
            let mut template = [CK_ATTRIBUTE {
                type_: NOTHING,
                ..Default::default()
            }];
            rv!(
                g,
                C_GetAttributeValue(g.session, g.aes, template.as_mut_ptr(), 1)
            )
        }
    ),
    bad!(
        "C_GetAttributeValue of a secret",
        ATTRIBUTE_SENSITIVE,
        |g| {
            let mut value = [0; 32];
            let mut template = [attribute(CKA_VALUE, &mut value)];
            rv!(
                g,
                C_GetAttributeValue(g.session, g.aes, template.as_mut_ptr(), 1)
            )
        }
    ),
    bad!(
        "C_GetAttributeValue with too little room",
        BUFFER_TOO_SMALL,
        |g| {
            let mut value = 0_u8;
            let mut template = [attribute(CKA_LABEL, &mut value)];
            rv!(
                g,
                C_GetAttributeValue(g.session, g.aes, template.as_mut_ptr(), 1)
            )
        }
    ),
    bad!(
        "C_GetAttributeValue with a template in itself",
        ARGUMENTS_BAD,
        Bare::NotAsked,
        |g| {
            let mut attributes = vec![CK_ATTRIBUTE::default(); 4096];
            let (template, count) = in_itself(&mut attributes);
            rv!(g, C_GetAttributeValue(g.session, g.aes, template, count))
        }
    ),
    bad!("C_SetAttributeValue from nowhere", ARGUMENTS_BAD, |g| rv!(
        g,
        C_SetAttributeValue(g.session, g.aes, null_mut(), 1)
    )),
    bad!(
        "C_SetAttributeValue of nothing",
        OBJECT_HANDLE_INVALID,
        |g| {
            let mut label = *b"label";
            let mut template = [attribute(CKA_LABEL, &mut label)];
            rv!(
                g,
                C_SetAttributeValue(g.session, NOTHING, template.as_mut_ptr(), 1)
            )
        }
    ),
    bad!(
        "C_SetAttributeValue of what cannot change",
        ATTRIBUTE_READ_ONLY,
        |g| {
            let mut class = CKO_DATA;
            let mut template = [attribute(CKA_CLASS, &mut class)];
            rv!(
                g,
                C_SetAttributeValue(g.session, g.aes, template.as_mut_ptr(), 1)
            )
        }
    ),
    bad!("C_FindObjectsInit from nowhere", ARGUMENTS_BAD, |g| rv!(
        g,
        C_FindObjectsInit(g.session, null_mut(), 1)
    )),
    bad!(
        "C_FindObjectsInit with a template in itself",
        ATTRIBUTE_VALUE_INVALID,
        Bare::NotAsked,
        |g| {
            let mut attributes = vec![CK_ATTRIBUTE::default(); 4096];
            let (template, count) = in_itself(&mut attributes);
            rv!(g, C_FindObjectsInit(g.session, template, count))
        }
    ),
    bad!("C_FindObjects to nowhere", ARGUMENTS_BAD, |g| {
        let mut count = 0;
        rv!(g, C_FindObjectsInit(g.session, null_mut(), 0));
        let code = rv!(g, C_FindObjects(g.session, null_mut(), 1, &raw mut count));
        rv!(g, C_FindObjectsFinal(g.session));
        code
    }),
    bad!("C_FindObjects without a count", ARGUMENTS_BAD, |g| {
        let mut object = 0;
        rv!(g, C_FindObjectsInit(g.session, null_mut(), 0));
        let code = rv!(g, C_FindObjects(g.session, &raw mut object, 1, null_mut()));
        rv!(g, C_FindObjectsFinal(g.session));
        code
    }),
];
