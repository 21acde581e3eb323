package local

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// tagged is the IAM tags of an event's user and role, as JSON: {"user":{…},"role":{…}}. They are no part of its record:
// enrichment has found them. Many events have the same ones, which are kept once, by a hash.
type tagged []byte

// hash is the key of tags.
func (t tagged) hash() int64 {
	sum := sha256.Sum256(t)
	return int64(binary.BigEndian.Uint64(sum[:])) //nolint:gosec // any sixty-four bits
}

// owners are whose tags there are.
func owners() []string { return []string{"user", "role"} }

// tagsOf takes the tags out of an event's document, nil when it has none. document is scratch space.
func tagsOf(text []byte, document *cloudtrail.Record) tagged {
	if !bytes.Contains(text, []byte(`"iam":{`)) || document.Parse(text) != nil {
		return nil
	}
	iam := document.WholeRoot().GetWhole("aws").GetWhole("iam")
	var all tagged
	for _, of := range owners() {
		tags := iam.GetWhole(of).GetWhole("tags")
		if !tags.FirstWhole().Exists() {
			continue
		}
		all = append(all, ",\""+of+"\":"...)
		all = append(all, tags.Raw()...)
	}
	if all == nil {
		return nil
	}
	all[0] = '{'
	return append(all, '}')
}

// list is the tags as they are shown.
func (t tagged) list() (all []history.Tag, err error) {
	var r cloudtrail.Record
	if err := r.Parse(t); err != nil {
		return nil, fmt.Errorf("reading the tags of an event: %w", err)
	}
	for _, of := range owners() {
		tags := r.WholeRoot().GetWhole(of)
		for m := tags.FirstWhole(); m.Exists(); m = m.NextWhole() {
			all = append(all, history.Tag{Of: of, Key: string(m.Key()), Value: string(m.Bytes())})
		}
	}
	return all, nil
}

// tags keeps the tags of an event and returns what they are found by, nothing when there are none.
func (n *inserter) tags(ctx context.Context, t tagged) (hash sql.NullInt64, err error) {
	if t == nil {
		return hash, nil
	}
	hash = sql.NullInt64{Int64: t.hash(), Valid: true}
	if _, err := n.within[addTags].ExecContext(ctx, hash, []byte(t)); err != nil {
		return hash, fmt.Errorf("keeping the tags of an event: %w", err)
	}
	return hash, nil
}

// tags reads the tags of an event.
func (r *Reader) tags(ctx context.Context, db rower, hash sql.NullInt64) ([]history.Tag, error) {
	if !hash.Valid {
		return nil, nil
	}
	var t tagged
	if err := db.QueryRowContext(ctx, "SELECT data FROM tags WHERE hash = ?", hash).Scan((*[]byte)(&t)); err != nil {
		return nil, err
	}
	return t.list()
}

// rower is a transaction, or a pool of connections.
type rower interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}
