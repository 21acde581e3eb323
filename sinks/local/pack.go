package local

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// Records are compressed one by one, since they are read one by one. By itself a record of 1,300 bytes becomes 780; with
// a dictionary of the store's own first records, 200. Each frame says which dictionary it needs.
const (
	sampleRecords   = 1000     // dictionaries are made of so many records
	sampleLongest   = 8 << 10  // of which longer ones do not take part: they would fill it
	dictionaryBytes = 64 << 10 // the text a dictionary holds
	firstDictionary = 1        // the id of the one that is made
)

// packer compresses records. Many goroutines use it at once.
type packer struct {
	encoder atomic.Pointer[zstd.Encoder]

	mu      sync.Mutex
	samples *samples // nil when there is a dictionary, or one is being made
}

// newPacker makes a packer with a store's newest dictionary, nil when it has none yet.
func newPacker(dictionary []byte) (*packer, error) {
	p := &packer{}
	if dictionary == nil {
		p.samples = &samples{byName: make(map[string][]int)}
	}
	return p, p.use(dictionary)
}

// use makes dictionary that of every later record.
func (p *packer) use(dictionary []byte) error {
	options := []zstd.EOption{
		zstd.WithEncoderLevel(zstd.SpeedFastest), // slower ones gain nothing here
		zstd.WithEncoderConcurrency(runtime.GOMAXPROCS(0)),
		zstd.WithSingleSegment(true),
	}
	if dictionary != nil {
		options = append(options, zstd.WithEncoderDict(dictionary))
	}
	encoder, err := zstd.NewWriter(nil, options...)
	if err != nil {
		return fmt.Errorf("reading the store's compression dictionary: %w", err)
	}
	p.encoder.Store(encoder)
	return nil
}

func (p *packer) pack(dst, record []byte) []byte { return p.encoder.Load().EncodeAll(record, dst) }

// sample shows a record to the packer. When it has seen enough, once, it returns what to make a dictionary of.
func (p *packer) sample(r *cloudtrail.Record) *samples {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.samples == nil || !p.samples.add(r) {
		return nil
	}
	full := p.samples
	p.samples = nil
	return full
}

// samples are records for a dictionary.
type samples struct {
	records [][]byte
	byName  map[string][]int // event names, and which records have them
	names   []string         // in the order of their first record
}

// add takes a copy of the record and reports whether there are enough.
func (s *samples) add(r *cloudtrail.Record) (enough bool) {
	if len(r.Raw) <= sampleLongest {
		name := string(r.Field(cloudtrail.EventName).Text())
		if s.byName[name] == nil {
			s.names = append(s.names, name)
		}
		s.byName[name] = append(s.byName[name], len(s.records))
		s.records = append(s.records, append([]byte(nil), r.Raw...))
	}
	return len(s.records) >= sampleRecords
}

// dictionary makes a dictionary: one record of each event, then a second of each, until it is full. The first ones stand
// at its end, where references to them are short.
func (s *samples) dictionary(id uint32) (dictionary []byte, err error) {
	defer func() { // the library says of itself that it is experimental; without a dictionary all works, too
		if p := recover(); p != nil {
			err = fmt.Errorf("making a compression dictionary: %v", p)
		}
	}()
	var parts [][]byte
	size := 0
	for round := 0; size < dictionaryBytes; round++ {
		before := size
		for _, name := range s.names {
			if round >= len(s.byName[name]) {
				continue
			}
			record := s.records[s.byName[name][round]]
			if size += len(record); size > dictionaryBytes {
				break
			}
			parts = append(parts, record)
		}
		if size == before {
			break
		}
	}
	var history []byte
	for _, part := range slices.Backward(parts) {
		history = append(history, part...)
	}
	dictionary, err = zstd.BuildDict(zstd.BuildDictOptions{
		ID: id, Contents: s.records, History: history, Offsets: [3]int{1, 4, 8}, Level: zstd.SpeedFastest,
	})
	if err != nil {
		return nil, fmt.Errorf("making a compression dictionary: %w", err)
	}
	return dictionary, nil
}

// unpacker decompresses records. Many goroutines use it at once.
type unpacker struct{ decoder atomic.Pointer[zstd.Decoder] }

// use makes the unpacker know all dictionaries of a store.
func (u *unpacker) use(dictionaries [][]byte) error {
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderDicts(dictionaries...), zstd.WithDecoderMaxMemory(maxRecord),
		zstd.WithDecoderConcurrency(0))
	if err != nil {
		return fmt.Errorf("reading the store's compression dictionaries: %w", err)
	}
	u.decoder.Store(decoder)
	return nil
}

// maxRecord bounds what a damaged record can make us allocate. The longest one that is read is smaller.
const maxRecord = 4 * cloudtrail.MaxRecord

// unpack returns the record. unknown says that it needs a dictionary which was made since the last use.
func (u *unpacker) unpack(packed []byte) (record []byte, unknown bool, err error) {
	record, err = u.decoder.Load().DecodeAll(packed, nil)
	return record, errors.Is(err, zstd.ErrUnknownDictionary), err
}
