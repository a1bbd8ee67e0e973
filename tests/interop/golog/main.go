// Verifies a published log with golang.org/x/mod/sumdb: note, tlog and nothing of ours.
//
//	golog FOLDER VKEY INDEX < receipt
//
// prints the tree's size and root, and the leaf hash of INDEX once all of it holds.
package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
}

func run(folder, vkey, place string) error {
	signed, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		return err
	}
	tree, err := openNote(signed, vkey)
	if err != nil {
		return err
	}
	index, err := strconv.ParseInt(place, 10, 64)
	if err != nil {
		return err
	}
	reader := tlog.TileHashReader(tree, &tiles{folder})
	found, err := tlog.TreeHash(tree.N, reader)
	if err != nil || found != tree.Hash {
		return fmt.Errorf("root from tiles is %v: %v", found, err)
	}
	hashes, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
	if err != nil {
		return err
	}
	ours, err := tlog.ProveRecord(tree.N, index, reader)
	if err != nil {
		return err
	}
	if err := checkReceipt(tree, index, hashes[0], ours, vkey); err != nil {
		return err
	}
	fmt.Println(tree.N, tree.Hash, hashes[0])
	return nil
}

func openNote(signed []byte, vkey string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("not a checkpoint of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// checkReceipt reads a tlog-proof from standard input; its path must be the one of tlog.
func checkReceipt(tree tlog.Tree, index int64, leaf tlog.Hash, ours tlog.RecordProof, vkey string) error {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	head, signed, found := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || lines[0] != "c2sp.org/tlog-proof@v1" || lines[2] != fmt.Sprintf("index %d", index) {
		return fmt.Errorf("not a proof of this leaf")
	}
	var path tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		path = append(path, hash)
	}
	if fmt.Sprint(path) != fmt.Sprint(ours) {
		return fmt.Errorf("another path than that of tlog")
	}
	if other, err := openNote([]byte(signed), vkey); err != nil || other != tree {
		return fmt.Errorf("another checkpoint: %v", err)
	}
	extra, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return err
	}
	length := int(extra[2]) | int(extra[3])<<8
	if extra[1] == 1 && len(extra) != 4+length {
		return fmt.Errorf("a leaf of another length")
	}
	if tlog.RecordHash(extra[4:4+length]) != leaf {
		return fmt.Errorf("another leaf")
	}
	return tlog.CheckRecord(path, tree.N, tree.Hash, index, leaf)
}

// tiles reads C2SP tlog-tiles: the path of tlog without its height.
type tiles struct{ folder string }

func (one *tiles) Height() int { return 8 }

func (one *tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		path := "tile/" + strings.TrimPrefix(tile.Path(), "tile/8/")
		data, err := os.ReadFile(filepath.Join(one.folder, path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (one *tiles) SaveTiles([]tlog.Tile, [][]byte) {}
