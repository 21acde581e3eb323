package local

import (
	"hash/fnv"
	"strconv"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// row is one event on its way into the store. It holds no bytes of the batch that it came in.
type row struct {
	eventID any // as keyOf gives it
	second  int64
	keys    []string // of the index
	firsts  [firstKinds]int64
	record  []byte // compressed
	coded   uint32 // with which dictionary
	tags    tagged // nil for none
}

// desk is what one goroutine needs to read records.
type desk struct {
	record cloudtrail.Record
	other  cloudtrail.Record // the document
	words  words
	leaves leaves
	arena  []byte
	ends   []int
}

// newRow reads record i of a batch, which is parsed already.
func (k *desk) newRow(b *pipeline.Batch, i int, p *packer) row {
	d := history.Describe(&k.record)
	x := row{eventID: keyOf(b.ID(i)), firsts: firstsOf(&d.Event), tags: tagsOf(b.Document(i), &k.other)}
	x.record, x.coded = p.pack(nil, b.Record(i))
	if at := b.Time(i); !at.IsZero() {
		x.second = at.Unix()
	}
	k.arena, k.ends = k.arena[:0], k.ends[:0]
	k.addAttributes(&d)
	k.addNames(&d)
	k.words.each(&k.record, func(word []byte) {
		k.arena = append(append(k.arena, codeWord), word...)
		k.ends = append(k.ends, len(k.arena))
	})
	k.leaves.each(&k.record, func(leaf []byte) {
		k.arena = appendLeafKey(k.arena, leaf)
		k.ends = append(k.ends, len(k.arena))
	})
	text, from := string(k.arena), 0 // one piece of memory for all keys
	x.keys = make([]string, len(k.ends))
	for n, end := range k.ends {
		x.keys[n] = text[from:end]
		from = end
	}
	return x
}

func (k *desk) add(a history.Attribute, value string) {
	if value != "" {
		k.arena = appendIndexKey(k.arena, a, value)
		k.ends = append(k.ends, len(k.arena))
	}
}

func (k *desk) addAttributes(d *history.Description) {
	k.add(history.EventName, d.Name)
	k.add(history.EventSource, d.Source)
	k.add(history.AccessKey, d.AccessKey)
	k.add(history.ReadOnly, strconv.FormatBool(d.ReadOnly))
	k.add(history.OutcomeIs, d.Outcome.String())
	k.add(history.Account, d.Account)
	k.add(history.Region, d.Region)
	k.add(history.SourceIP, d.SourceIP)
	k.add(history.ErrorCode, d.ErrorCode)
	k.add(history.Identity, d.Identity)
	k.add(history.Session, d.Session)
	k.add(history.UserAgent, d.UserAgent)
	k.add(history.MFA, d.MFA)
	k.add(history.Console, strconv.FormatBool(d.Console))
	k.add(history.Service, strconv.FormatBool(d.Service))
	k.add(history.EventType, d.Type)
	k.add(history.Category, d.Category)
	k.add(history.RequestID, d.RequestID)
	k.add(history.SharedID, d.SharedID)
	k.add(history.InvokedBy, d.InvokedBy)
}

// addNames adds what an event has several of.
func (k *desk) addNames(d *history.Description) {
	if d.User != "" {
		k.arena = append(append(k.arena, codeWho), cut(d.User)...)
		k.ends = append(k.ends, len(k.arena))
	}
	for _, v := range d.Actors {
		k.add(history.User, v)
	}
	for _, v := range d.Names {
		k.add(history.ResourceName, v)
	}
	for _, v := range d.Resources {
		k.add(history.ResourceType, v.Type)
	}
	for _, v := range d.Issued {
		k.add(history.Issued, v)
	}
	for _, v := range d.Traits {
		k.add(history.TraitIs, v)
	}
}

// The kinds of first events, in the order of history.Words(history.First).
const firstKinds = 3

// firstShift leaves room for a kind in a hash.
const firstShift = 60

// firstsOf are hashes of what an event may be the first of, 0 for nothing: its actor's calls, addresses and regions.
func firstsOf(e *history.Event) (hashes [firstKinds]int64) {
	actor := e.Actor()
	if actor == "" {
		return hashes
	}
	for kind, what := range [firstKinds]string{e.Source + ":" + e.Name, e.SourceIP, e.Region} {
		if what == "" {
			continue
		}
		h := fnv.New64a()
		h.Write([]byte(actor + "\x00" + what))
		hashes[kind] = int64(h.Sum64()&(1<<firstShift-1)) | int64(kind+1)<<firstShift //nolint:gosec // 62 bits
	}
	return hashes
}
