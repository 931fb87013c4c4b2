use crate::module::memory::WORD;

/// A parameter structure of the specification: its parts in the order of the C declaration.
#[derive(Debug)]
pub(super) struct Structure {
    pub(super) parts: &'static [Part],
}

/// A member of a C structure. `size`, `count` and `tag` are the index of another part of the same structure.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// A `CK_ULONG` that means itself.
    Integer,
    /// A `CK_BYTE` or `CK_BBOOL`.
    Byte,
    /// A `CK_OBJECT_HANDLE`.
    Object,
    /// A `CK_OBJECT_HANDLE` if the part `tag` is `is`; else nothing looks at it, and it may be anything.
    ObjectWhen { tag: usize, is: u64 },
    /// So many bytes in the structure itself.
    Inline(usize),
    /// A `CK_ULONG` that says how long or how many what another part points at is. It is not a field of its own.
    Size,
    /// The same, or the address of such a number: `CK_PKCS5_PBKD2_PARAMS` has an address where its successor, of the same
    /// size, has the number itself (PKCS#11 v3.1 §6.33). The field tells which it was: 0 the number, 1 the address.
    SizeOrAddress,
    /// An address of bytes whose length is the part `size`.
    Bytes { size: usize },
    /// An address of bytes whose length in bits is the part `size`, an [`Integer`](Self::Integer).
    Bits { size: usize },
    /// An address of so many bytes.
    Fixed(usize),
    /// [`Bytes`](Self::Bytes), which are a `CK_OBJECT_HANDLE` if the part `tag` is `is`.
    BytesOrObject { size: usize, tag: usize, is: u64 },
    /// An address of bytes that end with a zero.
    Text,
    /// A structure in the structure.
    Structure(&'static Structure),
    /// An address of a structure.
    Reference(&'static Structure),
    /// An address of as many structures as the part `count` says.
    Array {
        of: &'static Structure,
        count: usize,
    },
    /// An address of a `CK_MECHANISM` whose own parameter has no address in it.
    Mechanism,
    /// An address through which the member would write, of which the specification states no extent, or the count of such: must be 0.
    Null,
}

impl Part {
    const fn size(self) -> usize {
        match self {
            Self::Byte => 1,
            Self::Inline(bytes) => bytes,
            Self::Structure(structure) => structure.size(),
            Self::Integer
            | Self::Object
            | Self::ObjectWhen { .. }
            | Self::Size
            | Self::SizeOrAddress
            | Self::Bytes { .. }
            | Self::Bits { .. }
            | Self::Fixed(_)
            | Self::BytesOrObject { .. }
            | Self::Text
            | Self::Reference(_)
            | Self::Array { .. }
            | Self::Mechanism
            | Self::Null => WORD,
        }
    }

    const fn alignment(self) -> usize {
        match self {
            Self::Byte | Self::Inline(_) => 1,
            Self::Structure(_)
            | Self::Integer
            | Self::Object
            | Self::ObjectWhen { .. }
            | Self::Size
            | Self::SizeOrAddress
            | Self::Bytes { .. }
            | Self::Bits { .. }
            | Self::Fixed(_)
            | Self::BytesOrObject { .. }
            | Self::Text
            | Self::Reference(_)
            | Self::Array { .. }
            | Self::Mechanism
            | Self::Null => WORD,
        }
    }

    /// Whether it is told by a field of its own.
    pub(super) const fn is_field(self) -> bool {
        !matches!(self, Self::Size | Self::Null)
    }
}

impl Structure {
    /// `sizeof` in C.
    pub(super) const fn size(&self) -> usize {
        self.offset(self.parts.len()).next_multiple_of(WORD)
    }

    /// `offsetof` the part of that index in C; behind the last one, where they end.
    pub(super) const fn offset(&self, index: usize) -> usize {
        let mut offset = 0;
        let mut at = 0;
        while at < self.parts.len() {
            let part = self.parts[at];
            offset = offset_for(offset, part);
            if at == index {
                return offset;
            }
            offset += part.size();
            at += 1;
        }
        offset
    }

    /// Its parts, each with its offset.
    pub(super) fn places(&self) -> impl Iterator<Item = (usize, Part)> {
        self.parts.iter().scan(0, |end, &part| {
            let offset = offset_for(*end, part);
            *end = offset + part.size();
            Some((offset, part))
        })
    }

    /// How many fields tell it.
    pub(super) fn fields(&self) -> usize {
        self.parts.iter().filter(|part| part.is_field()).count()
    }
}

const fn offset_for(end: usize, part: Part) -> usize {
    end.next_multiple_of(part.alignment())
}
