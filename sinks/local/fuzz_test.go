package local

import (
	"bytes"
	"slices"
	"testing"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// Whatever a record holds, what is shown of it can be searched for, and the record survives being packed.
func FuzzDescribe(f *testing.F) {
	for _, seed := range []string{
		`{}`,
		`{"eventName":"ConsoleLogin","responseElements":{"ConsoleLogin":"Failure"},"userIdentity":{"type":"Root"}}`,
		`{"userIdentity":{"type":"AssumedRole","principalId":"A:b","arn":"arn:aws:sts::1:assumed-role/R/","sessionContext":{"attributes":{"creationDate":"x"}}}}`,
		`{"eventSource":"ec2.amazonaws.com","eventName":"RunInstances","requestParameters":{"groupSet":{"items":[{"groupId":"sg-1"}]}},"resources":["arn:aws:s3:::a",{"ARN":"arn:a:b:c:d:"},{}]}`,
		`{"eventSource":"sts.amazonaws.com","errorCode":"AccessDenied","errorMessage":"on resource: arn:aws:iam::1:role/\u0000","requestParameters":[[["arn:::::"]]]}`,
		`{"userIdentity":7,"resources":{"arn":"\ud800"},"requestParameters":"x","readOnly":"TRUE","eventTime":"2026-11-21T10:00:00Z"}`,
	} {
		f.Add([]byte(seed))
	}
	pack, err := newPacker(nil)
	if err != nil {
		f.Fatal(err)
	}
	var unpack unpacker
	if err := unpack.use(nil); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var r cloudtrail.Record
		if r.Parse(text) != nil {
			return
		}
		d := describe(&r)
		if d.User != "" && !slices.Contains(d.actors, d.User) {
			t.Errorf("user %q is not among the actors %q", d.User, d.actors)
		}
		if slices.Contains(d.actors, "") || slices.Contains(d.names, "") {
			t.Errorf("got an empty name in %q or %q", d.actors, d.names)
		}
		for _, x := range d.Resources {
			if !slices.Contains(d.names, x.Name) {
				t.Errorf("resource %q is not among %q", x.Name, d.names)
			}
		}
		if got, _, err := unpack.unpack(pack.pack(nil, r.Raw)); err != nil || !bytes.Equal(got, r.Raw) {
			t.Errorf("got %q, %v; want %q", got, err, r.Raw)
		}
	})
}

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
		s := samples{byName: make(map[string][]int)}
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
		if got, _, err := unpack.unpack(pack.pack(nil, r.Raw)); err != nil || string(got) != record {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, record)
		}
	}
}
