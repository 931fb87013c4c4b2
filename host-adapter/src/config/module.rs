//! A member's module, and what it is loaded with.

use std::collections::BTreeMap;

use toml::Spanned;

use super::check::{Checker, mode_if_open};
use super::error::{ConfigError, Problem};
use super::file;
use crate::module::{Isolation, ModuleSettings};

impl Checker<'_> {
    pub(super) fn module(&self, member: &file::Member) -> Result<ModuleSettings, ConfigError> {
        let path = self.absolute(member.module.get_ref());
        if !path.is_file() {
            return Err(self.wrong(&member.module, Problem::NoModule(path)));
        }
        if let Some(mode) = mode_if_open(&path) {
            return Err(self.wrong(&member.module, Problem::ModuleOpenToOthers { path, mode }));
        }
        let isolation = match member.isolation {
            file::Isolation::Process => Isolation::Process,
            file::Isolation::None => Isolation::None,
        };
        let environment = match &member.environment {
            Some(environment) => self.environment(environment, isolation)?,
            None => BTreeMap::new(),
        };
        let init_string = match &member.init_string {
            Some(string) if string.get_ref().contains('\0') => {
                return Err(self.wrong(string, Problem::Nul("init_string")));
            }
            Some(string) => Some(string.get_ref().clone()),
            None => None,
        };
        Ok(ModuleSettings {
            path,
            environment,
            init_string,
            isolation,
        })
    }

    fn environment(
        &self,
        written: &Spanned<BTreeMap<String, String>>,
        isolation: Isolation,
    ) -> Result<BTreeMap<String, String>, ConfigError> {
        let environment = written.get_ref();
        if isolation == Isolation::None && !environment.is_empty() {
            return Err(self.wrong(written, Problem::EnvironmentInApplication));
        }
        if let Some(name) = environment
            .keys()
            .find(|name| name.is_empty() || name.contains(['=', '\0']))
        {
            let (key, must) = (
                "environment",
                "of variable names, not empty and without \"=\"",
            );
            return Err(self.wrong(
                written,
                Problem::Unfit {
                    key,
                    must,
                    value: name.clone(),
                },
            ));
        }
        if environment.values().any(|value| value.contains('\0')) {
            return Err(self.wrong(written, Problem::Nul("environment")));
        }
        Ok(environment.clone())
    }
}
