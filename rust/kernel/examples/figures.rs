//! Prints what the kernel's operations cost here: `cargo run --release --example figures`.
//!
//! The median of several runs in µs, on one core unless it says "all cores".

use std::hint::black_box;
use std::time::Instant;

use specie_kernel::Result;
use specie_kernel::balance::balance_key;
use specie_kernel::batch::{Statement, verify_statements};
use specie_kernel::group::Point;
use specie_kernel::keys::{KeyTree, Mask, ScanKey};
use specie_kernel::output::{OPENING_SIZE, derive};
use specie_kernel::range_proof::{prove, verify};
use specie_kernel::scan::Scanner;
use specie_kernel::schnorr::{self, SigningKey};

const RUNS: usize = 11;

fn main() -> Result<()> {
    signatures()?;
    range_proofs()?;
    payments(true)?;
    payments(false)?;
    scanning()
}

/// Median time of one of `count` operations that `run` does together.
fn figure(name: &str, count: usize, mut run: impl FnMut() -> Result<()>) -> Result<()> {
    run()?;
    let mut times = vec![];
    for _ in 0..RUNS {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed().as_secs_f64() * 1e6 / count as f64);
    }
    times.sort_by(f64::total_cmp);
    println!("{name:<58} {:>9.1} µs", times.get(RUNS / 2).copied().unwrap_or_default());
    Ok(())
}

/// The same on one core: rayon's global pool is left alone.
fn on_one_core(name: &str, count: usize, run: impl Fn() -> Result<()> + Sync) -> Result<()> {
    match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
        Ok(pool) => figure(name, count, || pool.install(&run)),
        Err(_) => Ok(()),
    }
}

fn holds(statements: &[&Statement]) -> Result<()> {
    assert!(verify_statements(statements).is_ok(), "the statements are right");
    Ok(())
}

fn record(key: &SigningKey, message: &[u8; 32]) -> Vec<u8> {
    [&key.public().to_bytes()[..], message, &key.sign(message)].concat()
}

fn signatures() -> Result<()> {
    let key = SigningKey::generate()?;
    let message = [7; 32];
    let signature = key.sign(&message);
    let public = key.public().to_bytes();
    figure("sign", 1, || {
        black_box(key.sign(&message));
        Ok(())
    })?;
    figure("verify a signature alone", 1, || schnorr::verify(&public, &message, &signature))?;
    let keys: Result<Vec<SigningKey>> = (0..256).map(|_| SigningKey::generate()).collect();
    let records: Vec<u8> = keys?.iter().flat_map(|key| record(key, &message)).collect();
    let statement = Statement::new(&records, 0, &[], &[], 0, None, vec![])?;
    on_one_core("verify signatures, 256 keys, each", 256, || holds(&[&statement]))
}

fn range_proofs() -> Result<()> {
    for covers in [1, 2, 16] {
        let masks: Result<Vec<Mask>> = (0..covers).map(|_| Mask::generate()).collect();
        let masks = masks?;
        let masks: Vec<&Mask> = masks.iter().collect();
        let values: Vec<u64> = (0..covers as u64).collect();
        let points: Result<Vec<Point>> =
            values.iter().zip(&masks).map(|(value, mask)| mask.commit(*value)).collect();
        let commitments: Vec<u8> = points?.iter().flat_map(Point::to_bytes).collect();
        let proof = prove(&values, &masks)?;
        figure(&format!("prove the range of {covers} outputs"), 1, || {
            black_box(prove(&values, &masks)?);
            Ok(())
        })?;
        figure(&format!("verify the range of {covers} outputs alone"), 1, || {
            verify(&proof, &commitments)
        })?;
        let covering = vec![(proof, covers)];
        let statement = Statement::new(&[], 0, &[], &commitments, 0, None, covering)?;
        let name = format!("verify the range of {covers} outputs, 64 proofs, each");
        on_one_core(&name, 64, || holds(&[&statement; 64]))?;
    }
    Ok(())
}

/// A payment of 2 inputs and 2 outputs with a kernel, 2 owners and 2 attestations.
fn payment(aggregated: bool, banks: &[SigningKey]) -> Result<Statement> {
    let values = [1_000, 2_500];
    let (outs, ins) =
        ([Mask::generate()?, Mask::generate()?], [Mask::generate()?, Mask::generate()?]);
    let out_masks = [&outs[0], &outs[1]];
    let commit = |masks: &[Mask; 2]| -> Result<Vec<u8>> {
        Ok([masks[0].commit(values[0])?.to_bytes(), masks[1].commit(values[1])?.to_bytes()]
            .concat())
    };
    let (inputs, outputs) = (commit(&ins)?, commit(&outs)?);
    let (kernel, offset) = balance_key(&out_masks, &[&ins[0], &ins[1]])?;
    let message = [9; 32];
    let owners = [SigningKey::generate()?, SigningKey::generate()?];
    let mut signatures = record(&kernel, &message);
    for key in owners.iter().chain(banks) {
        signatures.extend(record(key, &message));
    }
    let proofs = if aggregated {
        vec![(prove(&values, &out_masks)?, 2)]
    } else {
        vec![(prove(&values[..1], &out_masks[..1])?, 1), (prove(&values[1..], &out_masks[1..])?, 1)]
    };
    Statement::new(&signatures, 1, &inputs, &outputs, 0, Some(offset), proofs)
}

fn payments(aggregated: bool) -> Result<()> {
    let mode = if aggregated { "aggregated" } else { "published" };
    let banks = [SigningKey::generate()?, SigningKey::generate()?];
    let payments: Result<Vec<Statement>> = (0..256).map(|_| payment(aggregated, &banks)).collect();
    let payments = payments?;
    let all: Vec<&Statement> = payments.iter().collect();
    for count in [1, 64, 256] {
        let some = all.get(..count).unwrap_or_default();
        let name = format!("verify payments, {mode}, batch of {count}, each");
        on_one_core(&name, count, || holds(some))?;
        figure(&format!("{name}, all cores"), count, || holds(some))?;
    }
    Ok(())
}

fn scanning() -> Result<()> {
    let scan_key = ScanKey::generate()?;
    let tree = KeyTree::generate()?;
    let (view, spend) = (tree.view_key(0)?, tree.spend_key(0)?);
    let mut scanner = Scanner::new(1, *scan_key.public(), vec![])?;
    scanner.add(&view, *spend.public());
    let stranger = KeyTree::generate()?;
    let mut opening = [0; OPENING_SIZE];
    opening[..32].copy_from_slice(&stranger.view_key(0)?.public().to_bytes());
    opening[32..64].copy_from_slice(&stranger.spend_key(0)?.public().to_bytes());
    let mut outputs = vec![];
    for number in 0..1_000u64 {
        opening[84..92].copy_from_slice(&number.to_le_bytes());
        outputs.extend(derive(&opening, scan_key.public(), None)?.output);
    }
    figure("derive an output", 1, || {
        black_box(derive(&opening, scan_key.public(), None)?);
        Ok(())
    })?;
    on_one_core("scan foreign outputs, one view key, each", 1_000, || {
        scanner.scan(&outputs).map(|found| assert!(found.hits.is_empty()))
    })?;
    for _ in 1..1_000 {
        scanner.add(&view, *spend.public());
    }
    on_one_core("scan foreign outputs by hint, 1,000 clients, each", 1_000, || {
        scanner.scan_hinted(&scan_key, &outputs).map(|found| assert!(found.hits.is_empty()))
    })
}
