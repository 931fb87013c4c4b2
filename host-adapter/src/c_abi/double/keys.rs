//! What is asked of a session that makes, wraps and derives keys.

use everslot_core::Rv;
use everslot_protocol::{Mechanism, Template};

use super::{Session, made, put, told};
use crate::module::parameter::{Returned, makes_no_key_of_its_own};
use crate::slot::{Material, Output, Refusal, Source};

impl Session {
    pub(in crate::c_abi) fn generate_key(
        &self,
        mechanism: Mechanism<'_>,
        template: Template<'_>,
    ) -> Result<u64, Rv> {
        made(format!(
            "generate_key {} {}",
            mechanism.kind,
            template.len()
        ))
    }
    pub(in crate::c_abi) fn generate_key_pair(
        &self,
        mechanism: Mechanism<'_>,
        public: Template<'_>,
        private: Template<'_>,
    ) -> Result<(u64, u64), Rv> {
        told(format!(
            "generate_key_pair {} {} {}",
            mechanism.kind,
            public.len(),
            private.len()
        ))?;
        Ok((8, 9))
    }
    pub(in crate::c_abi) fn wrap_key(
        &self,
        mechanism: Mechanism<'_>,
        wrapping_key: u64,
        key: u64,
        output: Output<'_>,
    ) -> Result<u64, Refusal> {
        put(
            format!("wrap_key {} {wrapping_key} {key}", mechanism.kind),
            output,
        )
    }
    pub(in crate::c_abi) fn unwrap_key(
        &self,
        mechanism: Mechanism<'_>,
        unwrapping_key: u64,
        wrapped: &[u8],
        template: Template<'_>,
    ) -> Result<u64, Rv> {
        made(format!(
            "unwrap_key {} {unwrapping_key} {wrapped:?} {}",
            mechanism.kind,
            template.len()
        ))
    }
    pub(in crate::c_abi) fn derive_key(
        &self,
        mechanism: Mechanism<'_>,
        base_key: u64,
        template: Template<'_>,
    ) -> Result<u64, Rv> {
        made(format!(
            "derive_key {} {base_key} {}",
            mechanism.kind,
            template.len()
        ))
    }
    pub(in crate::c_abi) fn make_with_material(
        &self,
        source: Source,
        mechanism: Mechanism<'_>,
        template: Template<'_>,
        room: Returned,
    ) -> Result<Material, Rv> {
        let key = made(format!(
            "make_with_material {source:?} {} {}",
            mechanism.kind,
            template.len()
        ))?;
        let key = (!makes_no_key_of_its_own(mechanism.kind)).then_some(key);
        let returned = (1..=room.size()).map(|byte| byte as u8).collect();
        Ok(Material { key, returned })
    }
}
