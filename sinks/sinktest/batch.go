package sinktest

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// Index is the index that the documents of Batch belong into.
const Index = "logs-aws.cloudtrail-trailship-2026.11.21"

// stampLayout is as wide as every other time written with it.
const stampLayout = "2006-01-02T15:04:05.000Z"

// Format is a small pipeline.Format: the record in a string field next to the time of indexing.
type Format struct{}

// Append appends a document of the record.
func (Format) Append(dst []byte, r *cloudtrail.Record) []byte {
	return fmt.Appendf(dst, `{"@timestamp":"2026-11-21T00:00:00Z","event":{"ingested":%q},"record":%q}`, stampLayout, r.Raw)
}

// AppendDegraded appends a document that says why it is degraded.
func (Format) AppendDegraded(dst []byte, r *cloudtrail.Record, why string) []byte {
	return fmt.Appendf(dst, `{"event":{"ingested":%q},"error":{"message":%q},"degraded":%q}`, stampLayout, why, r.Raw)
}

// Stamp writes the time of indexing.
func (Format) Stamp(doc []byte, at time.Time) {
	const key = `"ingested":"`
	if _, after, ok := bytes.Cut(doc, []byte(key)); ok {
		var text [64]byte // AppendFormat writes beyond its end for a moment: not into the document
		copy(after, at.UTC().AppendFormat(text[:0], stampLayout))
	}
}

// Batch returns a batch of one document for each id, all of them for index.
func Batch(t testing.TB, owner uint64, index string, ids ...string) *pipeline.Batch {
	t.Helper()
	b := pipeline.NewBatch(owner, Format{})
	for _, id := range ids {
		Add(t, b, index, id)
	}
	return b
}

// Add appends a document to a batch: a record that holds its id.
func Add(t testing.TB, b *pipeline.Batch, index, id string) {
	t.Helper()
	var r cloudtrail.Record
	if err := r.Parse(fmt.Appendf(nil, `{"eventID":%q,"eventName":"GetObject"}`, id)); err != nil {
		t.Fatal(err)
	}
	r.Object, r.Number = &cloudtrail.Object{Bucket: "trail", Key: "AWSLogs/1.json.gz"}, b.Len()+1
	b.Add(&r, []byte(id), index, time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC))
}
