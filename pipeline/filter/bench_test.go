package filter_test

import (
	"testing"

	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/filter"
	"github.com/trailship/trailship/test/samples"
)

// BenchmarkDrops is the cost of four rules for a record that none of them matches, as most do.
func BenchmarkDrops(b *testing.B) {
	set, err := filter.New(filter.Config{Drop: []filter.Rule{
		`{"eventSource":["kms.amazonaws.com"],"eventName":["Decrypt",{"prefix":"Describe"}]}`,
		`{"eventName":["AssumeRole"],"userIdentity":{"type":["AWSService"],"invokedBy":[{"suffix":".amazonaws.com"}]}}`,
		`{"sourceIPAddress":[{"cidr":"10.0.0.0/8"},{"cidr":"fd00::/8"}],"readOnly":[true]}`,
		`{"userAgent":[{"wildcard":"*prowler*"}],"errorCode":[{"exists":false}]}`,
	}})
	if err != nil {
		b.Fatal(err)
	}
	records, err := samples.Records()
	if err != nil {
		b.Fatal(err)
	}
	records = records[:32] // in the pipeline too a record's views are still in the CPU's cache
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		set.Drops(records[i%len(records)])
	}
}

func TestDrops_allocates(t *testing.T) {
	set, err := filter.New(filter.Config{Keep: []filter.Rule{
		`{"sourceIPAddress":[{"cidr":"2001:db8::/32"}],"userAgent":[{"wildcard":"*a*b*"},{"equals-ignore-case":"X"}]}`,
		`{"requestParameters":{"a":[{"numeric":[">",1]},{"prefix":{"equals-ignore-case":"é"}}]},"$or":[{"x":[1]},{"y":[null]}]}`,
	}})
	if err != nil {
		t.Fatal(err)
	}
	var r cloudtrail.Record
	if err := r.Parse([]byte(`{"sourceIPAddress":"2001:db8::1","userAgent":"b-a","requestParameters":{"a":[0.5,"z\u00e9"]},"x":1}`)); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() { set.Drops(&r) }); n > 0 {
		t.Errorf("got %.0f allocations a record, want none", n)
	}
}
