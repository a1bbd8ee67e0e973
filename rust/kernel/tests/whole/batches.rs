//! Batches of statements: what holds is accepted, what does not is named, exactly.

use crate::support::{Payment, named, payment, record};
use curve25519_dalek::Scalar;
use specie_kernel::Code;
use specie_kernel::batch::{Part, Refusal, Statement, verify_signatures, verify_statements};
use specie_kernel::keys::Mask;
use specie_kernel::range_proof::prove;
use specie_kernel::schnorr::SigningKey;

/// Not canonical, hence no point; not below ℓ, hence no scalar.
const GARBAGE: [u8; 32] = [0xff; 32];
const IDENTITY: [u8; 32] = [0; 32];

fn named_after(right: &Payment, change: impl Fn(&mut Payment)) -> Vec<(usize, Part, usize)> {
    let mut wrong = right.clone();
    change(&mut wrong);
    let (right, wrong) = (right.statement(), wrong.statement());
    // Between two that hold, which must not be disturbed.
    let all = named(&[&right, &wrong, &right]);
    assert!(all.iter().all(|(statement, _, _)| *statement == 1), "{all:?}");
    all
}

#[test]
fn payments_of_many_shapes_hold_together() {
    let mut payments = vec![];
    for (ins, outs) in [
        (&[3u64, 4][..], &[5u64, 2][..]),
        (&[], &[9]),
        (&[9, 1], &[3]),
        (&[1; 16], &[1; 16]),
        (&[8], &[1, 2, 5]),
        (&[u64::from(u32::MAX)], &[0, 0]),
    ] {
        payments.push(payment(ins, outs, 3, true).statement());
        payments.push(payment(ins, outs, 2, false).statement());
    }
    let all: Vec<&Statement> = payments.iter().collect();
    assert_eq!(named(&all), []);
    let many: Vec<&Statement> = all.iter().copied().cycle().take(150).collect();
    assert_eq!(named(&many), []);
    assert_eq!(verify_statements(&[]), Ok(()));
    let empty = Statement::new(&[], 0, &[], &[], 0, None, vec![]).unwrap();
    assert_eq!(named(&[&empty]), []);
}

#[test]
fn each_broken_part_is_named_alone() {
    let right = payment(&[3, 4], &[5, 2], 2, false);
    let foreign = record(&SigningKey::generate().unwrap(), &[9; 32]);
    let check = |change: &dyn Fn(&mut Payment), part, position| {
        assert_eq!(named_after(&right, change), [(1, part, position)]);
    };
    check(&|p| p.signatures[40] ^= 1, Part::Kernel, 0);
    check(&|p| p.signatures[64..128].copy_from_slice(&foreign[64..]), Part::Kernel, 0);
    check(&|p| p.signatures[128 + 40] ^= 1, Part::Signature, 0);
    check(&|p| p.signatures[256 + 40] ^= 1, Part::Signature, 1);
    check(&|p| p.signatures[256..288].copy_from_slice(&foreign[..32]), Part::Signature, 1);
    check(&|p| p.value += 1, Part::Balance, 0);
    check(&|p| p.offset = Some(Scalar::ONE.to_bytes()), Part::Balance, 0);
    check(&|p| p.inputs.truncate(32), Part::Balance, 0);
    check(&|p| p.proofs[0].0[300] ^= 1, Part::Proof, 0);
    check(&|p| p.proofs[1].0[300] ^= 1, Part::Proof, 1);
    check(&|p| p.proofs[1].0 = vec![], Part::Proof, 1);
    check(&|p| p.proofs[1].0.push(0), Part::Proof, 1);
    check(&|p| p.proofs[0].0[0] = 2, Part::Proof, 0);
}

#[test]
fn what_does_not_decode_is_named_with_what_depends_on_it() {
    let right = payment(&[3, 4], &[5, 2], 2, false);
    let balance = (1, Part::Balance, 0);
    for bad in [GARBAGE, IDENTITY] {
        let bytes = |list: &mut Vec<u8>, at: usize| list[at..at + 32].copy_from_slice(&bad);
        let named_after = |change: &dyn Fn(&mut Payment)| named_after(&right, change);
        assert_eq!(named_after(&|p| bytes(&mut p.inputs, 32)), [balance, (1, Part::Point, 1)]);
        assert_eq!(
            named_after(&|p| bytes(&mut p.outputs, 0)),
            [balance, (1, Part::Point, 2), (1, Part::Proof, 0)]
        );
        // The public key and the nonce of the kernel and of a signature.
        assert_eq!(named_after(&|p| bytes(&mut p.signatures, 0)), [balance, (1, Part::Kernel, 0)]);
        assert_eq!(named_after(&|p| bytes(&mut p.signatures, 64)), [(1, Part::Kernel, 0)]);
        assert_eq!(named_after(&|p| bytes(&mut p.signatures, 256)), [(1, Part::Signature, 1)]);
        assert_eq!(named_after(&|p| bytes(&mut p.signatures, 320)), [(1, Part::Signature, 1)]);
    }
    let named_after = |change: &dyn Fn(&mut Payment)| named_after(&right, change);
    assert_eq!(named_after(&|p| p.offset = Some(GARBAGE)), [balance, (1, Part::Scalar, 0)]);
    // The marker bit, and an s that is not below ℓ.
    assert_eq!(named_after(&|p| p.signatures[127] &= 0x7f), [(1, Part::Kernel, 0)]);
    let s = |p: &mut Payment| p.signatures[96..128].copy_from_slice(&GARBAGE);
    assert_eq!(named_after(&s), [(1, Part::Kernel, 0)]);
}

#[test]
fn without_an_offset_everything_but_the_balance_is_verified() {
    let mut public = payment(&[3], &[4], 1, false);
    public.offset = None;
    public.value = 77;
    public.inputs.clear();
    assert_eq!(named(&[&public.statement()]), []);
    public.signatures[40] ^= 1;
    public.proofs[0].0[300] ^= 1;
    let both = [(0, Part::Kernel, 0), (0, Part::Proof, 0)];
    assert_eq!(named(&[&public.statement()]), both);
}

#[test]
fn everything_wrong_is_named_at_once_and_sorted() {
    let right = payment(&[3, 4], &[5, 2], 2, false);
    let mut wrong = right.clone();
    wrong.value += 1;
    wrong.signatures[40] ^= 1;
    wrong.signatures[256 + 40] ^= 1;
    wrong.proofs[1].0[300] ^= 1;
    let (right, wrong) = (right.statement(), wrong.statement());
    let statements: Vec<&Statement> =
        (0..130).map(|i| if i % 10 == 3 { &wrong } else { &right }).collect();
    let parts = [(Part::Balance, 0), (Part::Kernel, 0), (Part::Proof, 1), (Part::Signature, 1)];
    let expected: Vec<_> = (3..130)
        .step_by(10)
        .flat_map(|statement| parts.map(|(part, position)| (statement, part, position)))
        .collect();
    assert_eq!(named(&statements), expected);
}

/// The trap of `tari_bulletproofs_plus`: past 256 proofs it says Ok without looking.
#[test]
fn a_bad_proof_is_found_at_every_position_of_large_batches() {
    let mask = Mask::generate().unwrap();
    let output = mask.commit(7).unwrap().to_bytes();
    let proof = prove(&[7], &[&mask]).unwrap();
    let statement =
        |proof: Vec<u8>| Statement::new(&[], 0, &[], &output, 0, None, vec![(proof, 1)]).unwrap();
    let right = statement(proof.clone());
    let mut changed = proof;
    changed[20] ^= 1;
    let wrong = statement(changed);
    let check = |size: usize, bad: &[usize]| {
        let mut statements = vec![&right; size];
        bad.iter().for_each(|position| statements[*position] = &wrong);
        let expected: Vec<_> = bad.iter().map(|position| (*position, Part::Proof, 0)).collect();
        assert_eq!(named(&statements), expected, "of {size}");
    };
    for size in [1, 2, 8, 9, 64] {
        (0..size).for_each(|position| check(size, &[position]));
    }
    [0, 1, 32, 63, 64].iter().for_each(|position| check(65, &[*position]));
    // 300 positions: thirty at once, so that every position is bad in one call, then some alone.
    for first in 0..10 {
        check(300, &(0..30).map(|tenth| 10 * tenth + first).collect::<Vec<_>>());
    }
    for position in [0, 63, 64, 127, 128, 192, 254, 255, 256, 257, 299] {
        check(300, &[position]);
    }
    assert_eq!(named(&vec![&right; 300]), []);
}

#[test]
fn a_bad_signature_is_found_at_every_position() {
    let right = record(&SigningKey::generate().unwrap(), &[1; 32]);
    let mut wrong = right.clone();
    wrong[40] ^= 1;
    for size in [1, 7, 8, 9, 130] {
        for position in 0..size {
            let mut records = right.repeat(size);
            records[position * 128..position * 128 + 128].copy_from_slice(&wrong);
            let Err(Refusal::Named(failures)) = verify_signatures(&records) else {
                panic!("accepted")
            };
            let places: Vec<_> = failures.iter().map(|f| (f.statement, f.part)).collect();
            assert_eq!(places, [(position, Part::Signature)]);
        }
    }
    assert_eq!(verify_signatures(&right.repeat(1300)), Ok(()));
    assert_eq!(verify_signatures(&[]), Ok(()));
    let Err(Refusal::Error(error)) = verify_signatures(&right[..127]) else { panic!("accepted") };
    assert_eq!(error.code(), Code::SizeInvalid);
}

/// Batch and single verification accept the same set, bit by bit.
#[test]
fn batches_agree_with_single_verification() {
    let right = record(&SigningKey::generate().unwrap(), &[1; 32]);
    for bit in 0..1024 {
        let mut changed = right.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let record: &[u8; 128] = changed[..].try_into().unwrap();
        let single = specie_kernel::schnorr::Record(record).verify().is_ok();
        let both = [changed.clone(), right.clone()].concat();
        assert_eq!(verify_signatures(&both).is_ok(), single, "bit {bit}");
    }
}

#[test]
fn shapes_that_hide_something_are_refused_when_made() {
    let right = payment(&[3, 4], &[5, 2], 2, false);
    let code = |change: &dyn Fn(&mut Payment)| {
        let mut wrong = right.clone();
        change(&mut wrong);
        wrong.try_statement().err().map(|error| error.code())
    };
    // Leaving out a proof, covering an output twice, more kernels than signatures.
    assert_eq!(code(&|p| p.proofs.truncate(1)), Some(Code::SizeInvalid));
    assert_eq!(code(&|p| p.proofs.clear()), Some(Code::SizeInvalid));
    assert_eq!(code(&|p| p.proofs[0].1 = 2), Some(Code::SizeInvalid));
    assert_eq!(code(&|p| p.kernels = 4), Some(Code::SizeInvalid));
    assert_eq!(code(&|p| p.value = i64::MIN), Some(Code::ValueRange));
    assert_eq!(code(&|_| {}), None);
}
