package enrich_test

import (
	"slices"
	"testing"

	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
	"github.com/trailship/trailship/pipeline/enrich"
	"github.com/trailship/trailship/test/samples"
	"github.com/trailship/trailship/test/standin"
)

// sampleAccount is the account of the sample records.
const sampleAccount = "123837392027"

// warmRig is a rig that has seen all sample records.
func warmRig(tb testing.TB, c enrich.Config) (*rig, []*cloudtrail.Record) {
	tb.Helper()
	records, err := samples.Records()
	if err != nil {
		tb.Fatal(err)
	}
	records = slices.DeleteFunc(records, func(r *cloudtrail.Record) bool { // they empty the cache
		return r.Field(cloudtrail.EventSource).Is("iam.amazonaws.com")
	})
	iam := &standin.IAM{Own: sampleAccount, Organization: "o-1", Names: map[string]string{sampleAccount: "samples"}}
	for _, name := range []string{"user/bert-jan", "user/benjamin"} {
		iam.Put(sampleAccount, name, standin.Principal{Tags: map[string]string{"team": "red", "site": "Utrecht"}})
	}
	g := newRig(tb, iam, c)
	for _, r := range records {
		g.set.Enrich(tb.Context(), r, g.encoder.Fragments())
	}
	return g, records
}

func parts(tb testing.TB) map[string]enrich.Config {
	tb.Helper()
	tags, names := tagsOnly(), enrich.Default()
	names.IAMTags.Enabled, names.UserAgent.Enabled = false, false
	all := enrich.Default()
	all.GeoIP = geoConfig(tb).GeoIP
	return map[string]enrich.Config{
		"iam tags": tags, "account names": names, "geoip": geoConfig(tb),
		"user agent": {UserAgent: enrich.UserAgent{Enabled: true}}, "all": all,
	}
}

// BenchmarkEnrich is what each part costs a record with warm caches.
func BenchmarkEnrich(b *testing.B) {
	for name, c := range parts(b) {
		b.Run(name, func(b *testing.B) {
			g, records := warmRig(b, c)
			records = records[:32] // in the pipeline a record's views are in the CPU's cache
			ctx := b.Context()
			var f ecs.Fragments
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				f = ecs.Fragments{}
				g.set.Enrich(ctx, records[i%len(records)], &f)
			}
		})
	}
}

// BenchmarkDocument is the hot path's share of this package's room: parse and encode, bare and with everything on.
func BenchmarkDocument(b *testing.B) {
	for name, c := range map[string]enrich.Config{"bare": {}, "all": parts(b)["all"]} {
		b.Run(name, func(b *testing.B) {
			g, records := warmRig(b, c)
			ctx := b.Context()
			var r cloudtrail.Record
			var line []byte
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				from := records[i%len(records)]
				if err := r.Parse(from.Raw); err != nil {
					b.Fatal(err)
				}
				r.Object = from.Object
				g.set.Enrich(ctx, &r, g.encoder.Fragments())
				line = g.encoder.Append(line[:0], &r)
			}
		})
	}
}

func TestEnrich_allocates(t *testing.T) {
	g, records := warmRig(t, parts(t)["all"])
	ctx := t.Context()
	var f ecs.Fragments
	if n := testing.AllocsPerRun(10, func() {
		for _, r := range records {
			f = ecs.Fragments{}
			g.set.Enrich(ctx, r, &f)
		}
	}); n > float64(len(records))/100 { // what otter does now and then is not the record's
		t.Errorf("got %.0f allocations for %d records, want none", n, len(records))
	}
}
