package local

import (
	"bytes"
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
// a dictionary of the store's own first records, 200. Each frame says which dictionary it needs. The first one is made
// early, of few records; the second is the better one and stays.
const (
	earlyRecords    = 100      // the first dictionary is made of so many records
	sampleRecords   = 1000     // the second one of so many later ones
	sampleLongest   = 8 << 10  // of which longer ones do not take part: they would fill it
	dictionaryBytes = 64 << 10 // the text a dictionary holds
)

// The ids of dictionaries in the store and in the frames that need them.
const (
	noDictionary uint32 = iota
	firstDictionary
	lastDictionary
)

// packer compresses records. Many goroutines use it at once.
type packer struct {
	coder atomic.Pointer[coder]

	mu      sync.Mutex
	next    uint32   // the dictionary that is made next
	samples *samples // for it; nil when none is made any more
}

// coder is an encoder and the id of its dictionary.
type coder struct {
	*zstd.Encoder
	id uint32
}

// newCoder makes an encoder with a dictionary, nil for none.
func newCoder(dictionary []byte) (*coder, error) {
	options := []zstd.EOption{
		zstd.WithEncoderLevel(zstd.SpeedFastest), // slower ones gain nothing here
		zstd.WithEncoderConcurrency(runtime.GOMAXPROCS(0)),
		zstd.WithSingleSegment(true),
	}
	id := noDictionary
	if dictionary != nil {
		known, err := zstd.InspectDictionary(dictionary)
		if err != nil {
			return nil, fmt.Errorf("reading the store's compression dictionary: %w", err)
		}
		id = known.ID()
		options = append(options, zstd.WithEncoderDict(dictionary))
	}
	encoder, err := zstd.NewWriter(nil, options...)
	if err != nil {
		return nil, fmt.Errorf("reading the store's compression dictionary: %w", err)
	}
	return &coder{encoder, id}, nil
}

// newPacker makes a packer with a store's newest dictionary, nil when it has none yet.
func newPacker(dictionary []byte) (*packer, error) {
	code, err := newCoder(dictionary)
	if err != nil {
		return nil, err
	}
	p := &packer{next: code.id + 1}
	if p.next <= lastDictionary {
		p.samples = newSamples()
	}
	p.coder.Store(code)
	return p, nil
}

// pack compresses a record and says with which dictionary.
func (p *packer) pack(dst, record []byte) (packed []byte, dictionary uint32) {
	code := p.coder.Load()
	return code.EncodeAll(record, dst), code.id
}

// sample shows a record to the packer. When it has seen enough it returns, once for each dictionary, what to make it of.
func (p *packer) sample(r *cloudtrail.Record) (full *samples, id uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.samples == nil {
		return nil, 0
	}
	p.samples.add(r)
	if enough := len(p.samples.records) >= sampleRecords || p.next == firstDictionary && len(p.samples.records) >= earlyRecords; !enough {
		return nil, 0
	}
	full, id = p.samples, p.next
	p.samples = nil
	if p.next++; p.next <= lastDictionary {
		p.samples = newSamples()
	}
	return full, id
}

// samples are records for a dictionary.
type samples struct {
	records [][]byte
	byName  map[string][]int // event names, and which records have them
	names   []string         // in the order of their first record
}

func newSamples() *samples { return &samples{byName: make(map[string][]int)} }

// add takes a copy of the record.
func (s *samples) add(r *cloudtrail.Record) {
	if len(r.Raw) > sampleLongest {
		return
	}
	name := string(r.Field(cloudtrail.EventName).Text())
	if s.byName[name] == nil {
		s.names = append(s.names, name)
	}
	s.byName[name] = append(s.byName[name], len(s.records))
	s.records = append(s.records, bytes.Clone(r.Raw))
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
