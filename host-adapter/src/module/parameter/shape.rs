use crate::module::memory::WORD;

/// No key material has more IVs.
pub(super) const IVS_MAX: usize = 2;
/// No IV in a key material is longer, in bytes.
pub(super) const IV_ROOM: usize = 64;
/// No output of a pseudo-random function is longer, in bytes.
pub(super) const OUTPUT_MAX: u64 = 0x1_0000;

/// A parameter structure of the specification.
#[derive(Debug)]
pub(super) struct Structure {
    /// In the order of the C declaration.
    pub(super) parts: &'static [Part],
    /// `offsetof` each part in C.
    pub(super) offsets: &'static [usize],
    /// `sizeof` in C.
    pub(super) size: usize,
    /// How many fields tell it.
    pub(super) fields: usize,
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
    /// [`Bytes`](Self::Bytes) that the member overwrites if the part `generator` is not `CKG_NO_GENERATE`.
    MadeBytes { size: usize, generator: usize },
    /// An address of bytes whose length in bits is the part `size`, an [`Integer`](Self::Integer).
    Bits { size: usize },
    /// An address of a nonce whose length is the part `size`, an [`Integer`](Self::Integer), in [bytes or bits](nonce_size).
    Nonce { size: usize },
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
    /// An address of so many bytes that the member writes.
    Written(usize),
    /// An address of a structure that the member fills: with so many handles of keys, and behind them, where addresses stand, so many IVs, each
    /// of as many bits as the part `iv_bits` says, an [`Integer`](Self::Integer).
    KeyMaterial {
        keys: usize,
        ivs: usize,
        iv_bits: usize,
    },
    /// An address of bytes that the member writes: as many as the part says that is an [`OutputLength`](Self::OutputLength). It is not a
    /// field of its own.
    Output,
    /// An address of the number of bytes that the part `output` has room for; the member writes there how many it has put out.
    OutputLength { output: usize },
    /// An attribute's value: [`Bytes`](Self::Bytes), unless the part `kind` says that it is a template of its own, which is refused.
    Value { size: usize, kind: usize },
    /// An address of as many `CK_DERIVED_KEY` as the part `count` says: the member makes a key of each.
    DerivedKeys { count: usize },
    /// An address where the member puts the handle of a key. It is not a field of its own.
    NewKey,
    /// An address of bytes of which the specification states no extent, neither in the structure nor in words: must be 0. In `CK_X3DH_…_PARAMS`
    /// and `CK_X2RATCHET_…_PARAMS` the signature of a prekey, the ids of keys and the shared secret are mere `CK_BYTE_PTR` (PKCS#11 v3.1), so
    /// nobody but the member can tell how much of the application's memory is to reach it.
    Null,
}

impl Part {
    const fn size(self) -> usize {
        match self {
            Self::Byte => 1,
            Self::Inline(bytes) => bytes,
            Self::Structure(structure) => structure.size,
            Self::Integer
            | Self::Object
            | Self::ObjectWhen { .. }
            | Self::Size
            | Self::SizeOrAddress
            | Self::Bytes { .. }
            | Self::MadeBytes { .. }
            | Self::Bits { .. }
            | Self::Nonce { .. }
            | Self::Fixed(_)
            | Self::BytesOrObject { .. }
            | Self::Text
            | Self::Reference(_)
            | Self::Array { .. }
            | Self::Mechanism
            | Self::Written(_)
            | Self::KeyMaterial { .. }
            | Self::Output
            | Self::OutputLength { .. }
            | Self::Value { .. }
            | Self::DerivedKeys { .. }
            | Self::NewKey
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
            | Self::MadeBytes { .. }
            | Self::Bits { .. }
            | Self::Nonce { .. }
            | Self::Fixed(_)
            | Self::BytesOrObject { .. }
            | Self::Text
            | Self::Reference(_)
            | Self::Array { .. }
            | Self::Mechanism
            | Self::Written(_)
            | Self::KeyMaterial { .. }
            | Self::Output
            | Self::OutputLength { .. }
            | Self::Value { .. }
            | Self::DerivedKeys { .. }
            | Self::NewKey
            | Self::Null => WORD,
        }
    }

    /// Whether it is told by a field of its own.
    pub(super) const fn is_field(self) -> bool {
        !matches!(self, Self::Size | Self::Output | Self::NewKey | Self::Null)
    }
}

impl Structure {
    /// Its parts, each with its offset.
    pub(super) fn places(&self) -> impl Iterator<Item = (usize, Part)> {
        self.offsets.iter().copied().zip(self.parts.iter().copied())
    }
}

/// Where C puts each of the parts.
pub(super) const fn offsets<const COUNT: usize>(parts: &[Part]) -> [usize; COUNT] {
    let mut offsets = [0; COUNT];
    let (mut end, mut at) = (0_usize, 0);
    while at < COUNT {
        offsets[at] = end.next_multiple_of(parts[at].alignment());
        end = offsets[at] + parts[at].size();
        at += 1;
    }
    offsets
}

/// The size of the structure in C: every one has a word in it, so that it ends at a multiple of one.
pub(super) const fn size(parts: &[Part], offsets: &[usize]) -> usize {
    let last = parts.len() - 1;
    (offsets[last] + parts[last].size()).next_multiple_of(WORD)
}

/// How many of the parts are told by a field of their own.
pub(super) const fn fields(parts: &[Part]) -> usize {
    let (mut count, mut at) = (0, 0);
    while at < parts.len() {
        count += parts[at].is_field() as usize;
        at += 1;
    }
    count
}

/// The length in bytes of the nonce of a Poly1305 cipher. PKCS#11 states it in bits, of which there are 64, 96 or 192 (v3.1 §6.65), but common
/// tokens take it for bytes, of which there are 24 at most.
pub(super) const fn nonce_size(stated: u64) -> u64 {
    match stated {
        64 | 96 | 192 => stated / 8,
        bytes => bytes,
    }
}
