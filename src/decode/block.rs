//! Sixty-four bytes looked at as a whole.
//!
//! In: a block and a byte. Out: where the byte stands in it.
//! Why: `data` that is a text has a backslash every ten bytes. Going from one to the next by search takes many times
//! as long (docs/benchmarks.md).

use wide::u8x16;

/// A place is a bit of a `u64`.
pub(super) type Block = [u8; 64];

/// Bit by bit, the first byte lowest, where `byte` stands in `block`.
pub(super) fn places_of(byte: u8, block: &Block) -> u64 {
    let (sixteens, _) = block.as_chunks::<16>();
    sixteens.iter().rev().fold(0, |places, bytes| {
        places << 16 | u64::from(u8x16::new(*bytes).simd_eq(u8x16::splat(byte)).to_bitmask())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_bit_is_set_where_the_byte_stands(
            block in prop::array::uniform32(prop::array::uniform2(0..4_u8)),
            byte in 0..4_u8,
        ) {
            let mut bytes: Block = [0; 64];
            bytes.copy_from_slice(block.as_flattened());
            let places = places_of(byte, &bytes);
            for (place, other) in bytes.iter().enumerate() {
                prop_assert_eq!(places >> place & 1 == 1, *other == byte);
            }
        }
    }
}
