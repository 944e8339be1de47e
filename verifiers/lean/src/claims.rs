//! A compiled module as what a submission claims: its constants on demand, for [`crate::replay`] and
//! [`crate::judgement`].

use std::cell::RefCell;

use crate::constant::Constant;
use crate::kernel::ReadError;
use crate::olean::{Module, Reader};
use crate::replay::Claimed;
use crate::terms::{NameId, Terms};

/// The constants of a compiled module, read when they are asked for. They are built in the terms of whoever asks first,
/// so that one of these serves one judgement. All that is read of the module in that time counts against the limit of
/// objects that the module was read with.
pub struct Claims<'m, B> {
    reader: RefCell<Reader<'m, B>>,
}

impl<'m, B: AsRef<[u8]>> Claims<'m, B> {
    /// What this module claims.
    pub fn of(module: &'m Module<B>) -> Self {
        Self { reader: RefCell::new(module.reader(module.limits())) }
    }
}

impl<B: AsRef<[u8]>> Claimed for Claims<'_, B> {
    fn constant(&self, terms: &mut Terms, name: NameId) -> Result<Option<Constant>, ReadError> {
        let found = self.reader.borrow_mut().constant(terms, name);
        found.map_err(|error| ReadError { message: error.to_string() })
    }
}
