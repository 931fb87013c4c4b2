//! What is to be made of one template: what the members are given, and what the application is answered.

use cryptoki_sys as ck;
use everslot_core::{Rv, ckr};
use everslot_protocol::Template;

use super::super::order::{Order, Origin, is_token};
use crate::domain::Attributes;
use crate::domain::policy::{self, Making, Protection, Remembered};
use crate::journal::Plant;
use crate::objects::planted;

/// An object that is to be made.
pub(super) struct Birth {
    /// `CKO_…`
    pub(super) class: u64,
    /// `CKA_TOKEN`
    pub(super) token: bool,
    /// As the application calls it.
    pub(super) label: Vec<u8>,
    /// What is remembered of a key.
    pub(super) remembered: Option<Remembered>,
    given: Attributes,
}

impl Birth {
    /// Each object of an order.
    ///
    /// # Errors
    /// `CKR_ATTRIBUTE_VALUE_INVALID` for a label that looks like one of ours, `CKR_TEMPLATE_INCONSISTENT` for a copy that is kept less closely
    /// than its original.
    pub(super) fn of_order(order: &Order<'_>, protection: Protection) -> Result<Vec<Self>, Rv> {
        let one = (order.templates.one, order.class);
        match order.second_class {
            None => Ok(vec![Self::of(order, one, protection)?]),
            Some(class) => {
                let other = (order.templates.other, class);
                Ok(vec![
                    Self::of(order, one, protection)?,
                    Self::of(order, other, protection)?,
                ])
            }
        }
    }

    fn of(
        order: &Order<'_>,
        (template, class): (Template<'_>, u64),
        protection: Protection,
    ) -> Result<Self, Rv> {
        let mut given = Attributes::of(template);
        let said = given.get(ck::CKA_LABEL).map(<[u8]>::to_vec);
        let label = said.or_else(|| order.label.clone()).unwrap_or_default();
        if planted::plant_of(&label).is_some() {
            return Err(ckr::ATTRIBUTE_VALUE_INVALID);
        }
        let making = match order.origin {
            Origin::Made(making) => Some(making),
            Origin::CopyOfUnknown => None,
        };
        let remembered = match (class, making) {
            (ck::CKO_PRIVATE_KEY | ck::CKO_SECRET_KEY, Some(making)) => {
                let (members, remembered) = match making {
                    Making::Copy(original) => policy::as_copied(&given, original, protection)?,
                    Making::Generate(_) | Making::Import | Making::Derive(_) => {
                        policy::as_made(&given, making, protection)
                    }
                };
                given = members;
                Some(remembered)
            }
            (_, Some(making)) => {
                let of_pair = matches!(making, Making::Generate(_));
                let bound = policy::as_bound(&given, making);
                // How a public key came to be, which a copy does not show.
                let made = policy::as_made(&given, making, protection).1;
                let remembered = (of_pair || bound.is_some()).then_some(made);
                if let Some((members, _)) = bound {
                    given = members;
                }
                remembered
            }
            (_, None) => None,
        };
        Ok(Self {
            class,
            token: is_token(template).unwrap_or(order.token_by_default),
            label,
            remembered,
            given,
        })
    }

    /// What the member is given that makes an object which is not planted.
    pub(super) const fn given(&self) -> &Attributes {
        &self.given
    }

    /// The label while it is being made.
    pub(super) fn planted_label(&self, plant: Plant) -> Vec<u8> {
        planted::label_with(plant, &self.label)
    }

    /// What the member is given that makes it.
    pub(super) fn template(&self, plant: Plant) -> Attributes {
        let mut given = self.given.clone();
        if self.token {
            given.set(ck::CKA_LABEL, &self.planted_label(plant));
        }
        given
    }
}
