use cryptoki_sys::{
    CK_ATTRIBUTE, CK_ATTRIBUTE_TYPE, CK_OBJECT_HANDLE, CK_SESSION_HANDLE, CK_SESSION_INFO,
    CK_ULONG, CK_USER_TYPE, CKU_USER,
};

use super::{Failure, Mechanism, Module, Template, call};

/// A session; it is closed by [`Session::close`] or with the module.
#[derive(Clone, Copy, Debug)]
pub struct Session {
    pub(super) module: Module,
    pub(super) handle: CK_SESSION_HANDLE,
}

/// An object's handle.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Object(pub CK_OBJECT_HANDLE);

impl Session {
    pub(super) const fn new(module: Module, handle: CK_SESSION_HANDLE) -> Self {
        Self { module, handle }
    }

    /// Its handle.
    #[must_use]
    pub const fn handle(self) -> CK_SESSION_HANDLE {
        self.handle
    }

    /// The module that it is a session of.
    #[must_use]
    pub const fn module(self) -> Module {
        self.module
    }

    /// `C_CloseSession`
    ///
    /// # Errors
    /// As the module says.
    pub fn close(self) -> Result<(), Failure> {
        call!(self.module, C_CloseSession(self.handle))
    }

    /// `C_GetSessionInfo`
    ///
    /// # Errors
    /// As the module says.
    pub fn info(self) -> Result<CK_SESSION_INFO, Failure> {
        let mut info = CK_SESSION_INFO {
            slotID: 0,
            state: 0,
            flags: 0,
            ulDeviceError: 0,
        };
        call!(self.module, C_GetSessionInfo(self.handle, &raw mut info))?;
        Ok(info)
    }

    /// `C_Login` as the user.
    ///
    /// # Errors
    /// As the module says.
    pub fn login(self, pin: &str) -> Result<(), Failure> {
        self.login_as(CKU_USER, pin)
    }

    /// `C_Login` as this kind of user.
    ///
    /// # Errors
    /// As the module says.
    pub fn login_as(self, user: CK_USER_TYPE, pin: &str) -> Result<(), Failure> {
        call!(
            self.module,
            C_Login(
                self.handle,
                user,
                pin.as_ptr().cast_mut(),
                pin.len() as CK_ULONG
            )
        )
    }

    /// `C_Logout`
    ///
    /// # Errors
    /// As the module says.
    pub fn logout(self) -> Result<(), Failure> {
        call!(self.module, C_Logout(self.handle))
    }

    /// `C_InitPIN`
    ///
    /// # Errors
    /// As the module says.
    pub fn init_pin(self, pin: &str) -> Result<(), Failure> {
        let length = pin.len() as CK_ULONG;
        call!(
            self.module,
            C_InitPIN(self.handle, pin.as_ptr().cast_mut(), length)
        )
    }

    /// `C_SetPIN`
    ///
    /// # Errors
    /// As the module says.
    pub fn set_pin(self, old: &str, new: &str) -> Result<(), Failure> {
        let (old_length, new_length) = (old.len() as CK_ULONG, new.len() as CK_ULONG);
        call!(
            self.module,
            C_SetPIN(
                self.handle,
                old.as_ptr().cast_mut(),
                old_length,
                new.as_ptr().cast_mut(),
                new_length
            )
        )
    }

    /// All objects that match, by `C_FindObjectsInit`, `C_FindObjects` and `C_FindObjectsFinal`.
    ///
    /// # Errors
    /// As the module says.
    pub fn find(self, template: &Template) -> Result<Vec<Object>, Failure> {
        template.with(|template, count| {
            call!(self.module, C_FindObjectsInit(self.handle, template, count))
        })?;
        let mut found = Vec::new();
        loop {
            let mut handles = [0; 16];
            let mut count = 0;
            call!(
                self.module,
                C_FindObjects(
                    self.handle,
                    handles.as_mut_ptr(),
                    handles.len() as CK_ULONG,
                    &raw mut count
                )
            )?;
            found.extend(handles[..count as usize].iter().copied().map(Object));
            if count == 0 {
                break;
            }
        }
        call!(self.module, C_FindObjectsFinal(self.handle))?;
        Ok(found)
    }

    /// The only object that matches.
    ///
    /// # Panics
    /// There is none, or more than one, or the module fails.
    #[must_use]
    #[track_caller]
    pub fn only(self, template: &Template) -> Object {
        match self.find(template).as_deref() {
            Ok([object]) => *object,
            other => panic!("not one object for {template:?}: {other:?}"),
        }
    }

    /// One attribute's value, by two calls of `C_GetAttributeValue`.
    ///
    /// # Errors
    /// As the module says.
    pub fn attribute(self, object: Object, kind: CK_ATTRIBUTE_TYPE) -> Result<Vec<u8>, Failure> {
        let mut attribute = CK_ATTRIBUTE {
            type_: kind,
            pValue: std::ptr::null_mut(),
            ulValueLen: 0,
        };
        call!(
            self.module,
            C_GetAttributeValue(self.handle, object.0, &raw mut attribute, 1)
        )?;
        let mut value = vec![0; attribute.ulValueLen as usize];
        attribute.pValue = value.as_mut_ptr().cast();
        call!(
            self.module,
            C_GetAttributeValue(self.handle, object.0, &raw mut attribute, 1)
        )?;
        value.truncate(attribute.ulValueLen as usize);
        Ok(value)
    }

    /// `C_SetAttributeValue`
    ///
    /// # Errors
    /// As the module says.
    pub fn set_attributes(self, object: Object, template: &Template) -> Result<(), Failure> {
        template.with(|template, count| {
            call!(
                self.module,
                C_SetAttributeValue(self.handle, object.0, template, count)
            )
        })
    }

    /// `C_CreateObject`
    ///
    /// # Errors
    /// As the module says.
    pub fn create(self, template: &Template) -> Result<Object, Failure> {
        self.object(|new| {
            template.with(|template, count| {
                call!(
                    self.module,
                    C_CreateObject(self.handle, template, count, new)
                )
            })
        })
    }

    /// `C_CopyObject`
    ///
    /// # Errors
    /// As the module says.
    pub fn copy(self, object: Object, template: &Template) -> Result<Object, Failure> {
        self.object(|new| {
            template.with(|template, count| {
                call!(
                    self.module,
                    C_CopyObject(self.handle, object.0, template, count, new)
                )
            })
        })
    }

    /// `C_DestroyObject`
    ///
    /// # Errors
    /// As the module says.
    pub fn destroy(self, object: Object) -> Result<(), Failure> {
        call!(self.module, C_DestroyObject(self.handle, object.0))
    }

    /// `C_GenerateKey`
    ///
    /// # Errors
    /// As the module says.
    pub fn generate_key(
        self,
        mechanism: Mechanism,
        template: &Template,
    ) -> Result<Object, Failure> {
        self.object(|new| {
            mechanism.with(|mechanism| {
                template.with(|template, count| {
                    call!(
                        self.module,
                        C_GenerateKey(self.handle, mechanism, template, count, new)
                    )
                })
            })
        })
    }

    /// `C_WrapKey` into as many bytes as any key takes.
    ///
    /// # Errors
    /// As the module says.
    pub fn wrap_key(
        self,
        mechanism: Mechanism,
        wrapping_key: Object,
        key: Object,
    ) -> Result<Vec<u8>, Failure> {
        let mut wrapped = vec![0; 16 * 1024];
        let mut length = wrapped.len() as CK_ULONG;
        mechanism.with(|mechanism| {
            call!(
                self.module,
                C_WrapKey(
                    self.handle,
                    mechanism,
                    wrapping_key.0,
                    key.0,
                    wrapped.as_mut_ptr(),
                    &raw mut length
                )
            )
        })?;
        wrapped.truncate(length as usize);
        Ok(wrapped)
    }

    /// `C_GenerateKeyPair`; gives the public key, then the private one.
    ///
    /// # Errors
    /// As the module says.
    pub fn generate_key_pair(
        self,
        mechanism: Mechanism,
        public: &Template,
        private: &Template,
    ) -> Result<(Object, Object), Failure> {
        let (mut for_public, mut for_private) = (0, 0);
        mechanism.with(|mechanism| {
            public.with(|public, public_count| {
                private.with(|private, private_count| {
                    call!(
                        self.module,
                        C_GenerateKeyPair(
                            self.handle,
                            mechanism,
                            public,
                            public_count,
                            private,
                            private_count,
                            &raw mut for_public,
                            &raw mut for_private
                        )
                    )
                })
            })
        })?;
        Ok((Object(for_public), Object(for_private)))
    }

    fn object(
        self,
        action: impl FnOnce(*mut CK_OBJECT_HANDLE) -> Result<(), Failure>,
    ) -> Result<Object, Failure> {
        let mut handle = 0;
        action(&raw mut handle)?;
        Ok(Object(handle))
    }
}
