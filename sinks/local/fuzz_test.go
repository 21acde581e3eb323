package local

import (
	"testing"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

func FuzzKey(f *testing.F) {
	for _, seed := range []string{"", "0b0c2bc6-0000-4000-8000-00000000000a", "0B0C2BC6-0000-4000-8000-00000000000A", "0b0c2bc6000040008000000000000000000a", "sixteen bytes...", "0b0c2bc6-0000-4000-8000-00000000000-"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, id string) {
		if got := idOf(keyOf(id)); got != id {
			t.Errorf("got %q, want %q", got, id)
		}
	})
}

// A dictionary comes of any records, or an error; packed with it they come back.
func TestSamples_dictionary(t *testing.T) {
	for name, record := range map[string]string{
		"all the same": `{"eventName":"A","eventID":"0b0c2bc6-0000-4000-8000-00000000000a"}`,
		"tiny":         `{}`,
	} {
		s := newSamples()
		var r cloudtrail.Record
		if err := r.Parse([]byte(record)); err != nil {
			t.Fatal(err)
		}
		for range sampleRecords {
			s.add(&r)
		}
		dictionary, err := s.dictionary(firstDictionary)
		if err != nil {
			t.Logf("%s: %v", name, err)
			continue
		}
		pack, err := newPacker(dictionary)
		if err != nil {
			t.Fatal(err)
		}
		var unpack unpacker
		if err := unpack.use([][]byte{dictionary}); err != nil {
			t.Fatal(err)
		}
		packed, _ := pack.pack(nil, r.Raw)
		if got, _, err := unpack.unpack(packed); err != nil || string(got) != record {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, record)
		}
	}
}
