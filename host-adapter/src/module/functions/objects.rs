use cryptoki_sys::*;
use everslot_protocol::Rv;

use super::{Functions, Gave, call, out, with_default};
use crate::module::template::CTemplate;

impl Functions {
    pub(in crate::module) fn create_object(
        self,
        session: CK_SESSION_HANDLE,
        template: &mut CTemplate<'_>,
    ) -> Gave<CK_OBJECT_HANDLE> {
        let (template, count) = template.as_argument();
        with_default(|object| call!(self.0.C_CreateObject, session, template, count, object))
    }

    pub(in crate::module) fn copy_object(
        self,
        session: CK_SESSION_HANDLE,
        object: CK_OBJECT_HANDLE,
        template: &mut CTemplate<'_>,
    ) -> Gave<CK_OBJECT_HANDLE> {
        let (template, count) = template.as_argument();
        with_default(|copy| call!(self.0.C_CopyObject, session, object, template, count, copy))
    }

    pub(in crate::module) fn destroy_object(
        self,
        session: CK_SESSION_HANDLE,
        object: CK_OBJECT_HANDLE,
    ) -> Rv {
        call!(self.0.C_DestroyObject, session, object)
    }

    pub(in crate::module) fn object_size(
        self,
        session: CK_SESSION_HANDLE,
        object: CK_OBJECT_HANDLE,
    ) -> Gave<u64> {
        with_default(|size| call!(self.0.C_GetObjectSize, session, object, size))
    }

    /// The template's values are where its attributes point; their lengths are in it afterwards.
    pub(in crate::module) fn attribute_values(
        self,
        session: CK_SESSION_HANDLE,
        object: CK_OBJECT_HANDLE,
        template: &mut CTemplate<'_>,
    ) -> Rv {
        let (template, count) = template.as_argument();
        call!(self.0.C_GetAttributeValue, session, object, template, count)
    }

    pub(in crate::module) fn set_attributes(
        self,
        session: CK_SESSION_HANDLE,
        object: CK_OBJECT_HANDLE,
        template: &mut CTemplate<'_>,
    ) -> Rv {
        let (template, count) = template.as_argument();
        call!(self.0.C_SetAttributeValue, session, object, template, count)
    }

    pub(in crate::module) fn find_objects_init(
        self,
        session: CK_SESSION_HANDLE,
        template: &mut CTemplate<'_>,
    ) -> Rv {
        let (template, count) = template.as_argument();
        call!(self.0.C_FindObjectsInit, session, template, count)
    }

    /// How many of `objects` were found.
    pub(in crate::module) fn find_objects(
        self,
        session: CK_SESSION_HANDLE,
        objects: &mut [CK_OBJECT_HANDLE],
    ) -> Gave<u64> {
        let (objects, room) = out(Some(objects));
        with_default(|count| call!(self.0.C_FindObjects, session, objects, room, count))
    }

    pub(in crate::module) fn find_objects_final(self, session: CK_SESSION_HANDLE) -> Rv {
        call!(self.0.C_FindObjectsFinal, session)
    }
}
