//! Finding the outputs of a serving bank's clients.
//!
//! ```text
//! every key:  s = H("shared", a·R ‖ R ‖ A ‖ B), compare tag, then P = B + t·G
//! by hint:    client = hint ⊕ H("hint", x·R)[:8], then the same for that client only
//! ```
//!
//! What is ours is opened and rebuilt from its opening; all 414 bytes must agree. An output whose
//! P is ours but which does not rebuild is reported as refused, because its payer cheated.

use std::collections::HashMap;
use std::sync::Arc;

use curve25519_dalek::{RistrettoPoint, Scalar};
use rayon::prelude::*;
use zeroize::Zeroizing;

use crate::cores::on_all_cores;
use crate::error::{Code, Error, Result};
use crate::group::Point;
use crate::keys::{Mask, ScanKey, ViewKey};
use crate::layout::records;
use crate::output::{
    MISMATCH, OPENING_SIZE, OUTPUT_SIZE, Opening, Output, Shared, client_tag, derive, hint_pad, xor,
};

/// An output that is ours.
pub struct Hit {
    /// Index of the output.
    pub output: usize,
    /// Index of the client.
    pub client: usize,
    /// The opening.
    pub opening: [u8; OPENING_SIZE],
    /// m.
    pub mask: Mask,
}

/// What a scan found, in the order of the outputs.
#[derive(Default)]
pub struct Found {
    /// Outputs that are ours.
    pub hits: Vec<Hit>,
    /// Outputs whose P is ours but whose opening does not rebuild them.
    pub refused: Vec<usize>,
}

#[derive(Clone)]
struct Client {
    view_secret: Zeroizing<Scalar>,
    view_public: [u8; 32],
    spend: Point,
    spend_public: [u8; 32],
}

/// The clients of one serving bank, with what is needed to rebuild their outputs.
#[derive(Clone)]
pub struct Scanner {
    bank: u32,
    bank_scan: Point,
    audit_keys: Arc<HashMap<u32, Point>>,
    clients: Vec<Client>,
    everyone: Vec<usize>,
    by_tag: HashMap<[u8; 8], Vec<usize>>,
}

impl Scanner {
    /// A scanner without clients. `audit_keys` are pairs (label, V_label).
    pub fn new(bank: u32, bank_scan: Point, audit_keys: Vec<(u32, Point)>) -> Result<Self> {
        if audit_keys.iter().any(|(label, _)| *label == 0) {
            return Err(Error::new(Code::AuditKeyInvalid, "label 0 means no label"));
        }
        let audit_keys = Arc::new(audit_keys.into_iter().collect());
        let (clients, everyone, by_tag) = (vec![], vec![], HashMap::new());
        Ok(Scanner { bank, bank_scan, audit_keys, clients, everyone, by_tag })
    }

    /// Adds a client and returns its index.
    pub fn add(&mut self, view_key: &ViewKey, spend: Point) -> usize {
        let index = self.clients.len();
        let view_public = view_key.public().to_bytes();
        let spend_public = spend.to_bytes();
        let view_secret = Zeroizing::new(*view_key.secret());
        self.by_tag.entry(client_tag(&view_public, &spend_public)).or_default().push(index);
        self.everyone.push(index);
        self.clients.push(Client { view_secret, view_public, spend, spend_public });
        index
    }

    /// Every output against every client, on all cores.
    pub fn scan(&self, outputs: &[u8]) -> Result<Found> {
        self.scan_with(outputs, |_, _| &self.everyone)
    }

    /// Every output against the client its hint names, on all cores.
    pub fn scan_hinted(&self, scan_key: &ScanKey, outputs: &[u8]) -> Result<Found> {
        if scan_key.public().to_bytes() != self.bank_scan.to_bytes() {
            let message = "the scanner was made for another scan key";
            return Err(Error::new(Code::ScanKeyMismatch, message));
        }
        self.scan_with(outputs, |output, ephemeral| {
            let pad = hint_pad(&(ephemeral * scan_key.secret()));
            self.by_tag.get(&xor(output.hint(), pad)).map_or(&[], Vec::as_slice)
        })
    }

    fn scan_with<'a, F>(&'a self, outputs: &[u8], candidates: F) -> Result<Found>
    where
        F: Fn(Output<'_>, &RistrettoPoint) -> &'a [usize] + Sync,
    {
        let outputs = records::<OUTPUT_SIZE>(outputs)?;
        let results: Vec<Found> = on_all_cores(|| {
            outputs
                .par_iter()
                .enumerate()
                .map(|(index, bytes)| self.scan_one(index, Output(bytes), &candidates))
                .collect()
        })?;
        let mut found = Found::default();
        for mut one in results {
            found.hits.append(&mut one.hits);
            found.refused.append(&mut one.refused);
        }
        Ok(found)
    }

    fn scan_one<'a, F>(&'a self, index: usize, output: Output<'_>, candidates: &F) -> Found
    where
        F: Fn(Output<'_>, &RistrettoPoint) -> &'a [usize],
    {
        let mut found = Found::default();
        // An R that does not decode belongs to nobody: not ours, and not our error.
        let Ok(ephemeral) = Point::decode(&output.ephemeral()) else { return found };
        for &client_index in candidates(output, ephemeral.as_point()) {
            let Some(client) = self.clients.get(client_index) else { continue };
            match self.receive(output, &ephemeral, client) {
                Ok(None) => {}
                Ok(Some((opening, mask))) => {
                    found.hits.push(Hit { output: index, client: client_index, opening, mask });
                }
                Err(_) => found.refused.push(index),
            }
        }
        found.refused.dedup();
        found
    }

    /// `None` if the output is not this client's, an error if its P is but its opening is not.
    fn receive(
        &self,
        output: Output<'_>,
        ephemeral: &Point,
        client: &Client,
    ) -> Result<Option<([u8; OPENING_SIZE], Mask)>> {
        let dh = ephemeral.as_point() * *client.view_secret;
        let (a, b) = (&client.view_public, &client.spend_public);
        let shared = Shared::new(&dh, &ephemeral.to_bytes(), a, b);
        if shared.tag() != output.tag() {
            return Ok(None);
        }
        if shared.owner(&client.spend).compress().to_bytes() != output.owner() {
            return Ok(None);
        }
        let opening = output.open(&shared, a, b, self.bank)?;
        let label = Opening::new(&opening).label();
        let audit_key = self.audit_keys.get(&label);
        let derived = derive(&opening, &self.bank_scan, audit_key)?;
        if derived.output == *output.0 { Ok(Some((opening, derived.mask))) } else { Err(MISMATCH) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::KeyTree;
    use crate::layout::Writer;

    const BANK: u32 = 7;

    struct Bank {
        scan_key: ScanKey,
        authority: ScanKey,
        clients: Vec<KeyTree>,
        scanner: Scanner,
    }

    fn bank(clients: usize) -> Bank {
        let (scan_key, authority) = (ScanKey::generate().unwrap(), ScanKey::generate().unwrap());
        let audit_keys = vec![(5, *authority.public())];
        let mut scanner = Scanner::new(BANK, *scan_key.public(), audit_keys).unwrap();
        let clients: Vec<KeyTree> = (0..clients).map(|_| KeyTree::generate().unwrap()).collect();
        for (index, client) in clients.iter().enumerate() {
            let spend = *client.spend_key(0).unwrap().public();
            assert_eq!(scanner.add(&client.view_key(0).unwrap(), spend), index);
        }
        Bank { scan_key, authority, clients, scanner }
    }

    fn paid(bank: &Bank, client: &KeyTree, value: u64, label: u32) -> Vec<u8> {
        let opening = Writer::new()
            .put(&client.view_key(0).unwrap().public().to_bytes())
            .put(&client.spend_key(0).unwrap().public().to_bytes())
            .put(&BANK.to_le_bytes())
            .put(&[9; 16])
            .put(&value.to_le_bytes())
            .put(&[1])
            .put(&label.to_le_bytes())
            .put(&[0; 200])
            .done();
        let audit_key = (label != 0).then_some(bank.authority.public());
        derive(&opening, bank.scan_key.public(), audit_key).unwrap().output.to_vec()
    }

    fn places(found: &Found) -> Vec<(usize, usize)> {
        found.hits.iter().map(|hit| (hit.output, hit.client)).collect()
    }

    #[test]
    fn both_ways_find_the_same() {
        let bank = bank(3);
        let stranger = KeyTree::generate().unwrap();
        let mut outputs = vec![];
        let mut expected = vec![];
        for i in 0..40usize {
            let payee = bank.clients.get(i % 5);
            let label = if i % 2 == 0 { 5 } else { 0 };
            outputs.extend(paid(&bank, payee.unwrap_or(&stranger), i as u64, label));
            expected.extend(payee.map(|_| (i, i % 5)));
        }
        for found in [
            bank.scanner.scan(&outputs).unwrap(),
            bank.scanner.scan_hinted(&bank.scan_key, &outputs).unwrap(),
        ] {
            assert_eq!(places(&found), expected);
            assert!(found.refused.is_empty());
            for hit in found.hits {
                let value = u64::from_le_bytes(hit.opening[84..92].try_into().unwrap());
                assert_eq!(value, hit.output as u64);
                let start = hit.output * OUTPUT_SIZE;
                let commitment = &outputs[start + 65..start + 97];
                assert_eq!(hit.mask.commit(value).unwrap().to_bytes(), commitment);
            }
        }
    }

    #[test]
    fn what_does_not_rebuild_is_refused() {
        let bank = bank(1);
        let right = paid(&bank, &bank.clients[0], 1, 0);
        // What a changed byte makes of the output: (byte, scan, scan by hint)
        let (found, refused, unseen) = ((1, 0), (0, 1), (0, 0));
        for (byte, scanned, hinted) in [
            (500, found, found),
            (0, unseen, unseen),     // P
            (40, unseen, unseen),    // R
            (64, unseen, unseen),    // tag
            (70, refused, refused),  // C
            (100, refused, unseen),  // hint
            (110, refused, refused), // audit
            (140, refused, refused), // terms
            (200, refused, refused), // sealed
            (413, refused, refused),
        ] {
            let mut output = right.clone();
            if let Some(byte) = output.get_mut(byte) {
                *byte ^= 1;
            }
            let count = |found: Found| (found.hits.len(), found.refused.len());
            assert_eq!(count(bank.scanner.scan(&output).unwrap()), scanned, "byte {byte}");
            let by_hint = bank.scanner.scan_hinted(&bank.scan_key, &output).unwrap();
            assert_eq!(count(by_hint), hinted, "byte {byte}");
        }
    }

    #[test]
    fn an_unknown_label_or_another_bank_is_refused() {
        let bank = bank(1);
        let output = paid(&bank, &bank.clients[0], 1, 5);
        let mut other = Scanner::new(BANK, *bank.scan_key.public(), vec![]).unwrap();
        let client = &bank.clients[0];
        other.add(&client.view_key(0).unwrap(), *client.spend_key(0).unwrap().public());
        assert_eq!(other.scan(&output).unwrap().refused, [0]);
        let mut other = Scanner::new(BANK + 1, *bank.scan_key.public(), vec![]).unwrap();
        other.add(&client.view_key(0).unwrap(), *client.spend_key(0).unwrap().public());
        assert_eq!(other.scan(&paid(&bank, client, 1, 0)).unwrap().refused, [0]);
    }

    #[test]
    fn arguments_are_checked() {
        let bank = bank(1);
        let code = |result: Result<Found>| result.err().map(|error| error.code());
        assert_eq!(code(bank.scanner.scan(&[0; 413])), Some(Code::SizeInvalid));
        let other = ScanKey::generate().unwrap();
        assert_eq!(code(bank.scanner.scan_hinted(&other, &[])), Some(Code::ScanKeyMismatch));
        assert!(bank.scanner.scan(&[0; 414 * 3]).unwrap().hits.is_empty());
        let zero_label = Scanner::new(BANK, *other.public(), vec![(0, *other.public())]);
        assert_eq!(zero_label.err().map(|e| e.code()), Some(Code::AuditKeyInvalid));
    }
}
