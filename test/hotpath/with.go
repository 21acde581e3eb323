package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/trailship/trailship/pipeline/awsconfig"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
	"github.com/trailship/trailship/pipeline/enrich"
	"github.com/trailship/trailship/pipeline/filter"
	"github.com/trailship/trailship/test/standin"
)

// addition is something that the path does besides.
type addition struct {
	what  string
	bound string
	path  *path

	took      []time.Duration // a round each
	shares    []float64       // of the bare path's time in the same round, less 1
	allocated uint64          // in the last round
	size      int             // of all lines
}

// patience is how long warming caches may wait for an answer of IAM.
const patience = 30 * time.Second

// sampleAccount is the account of the sample records.
const sampleAccount = "123837392027"

// additions prints what filters and enrichers with warm caches add to the path.
func additions(out io.Writer, rounds int) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	c, err := quietCorpus(20, 1000)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "hotpath")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	all, err := newAdditions(ctx, folder)
	if err != nil {
		return err
	}
	for _, a := range all {
		if err := a.warm(c); err != nil {
			return err
		}
	}
	for range rounds {
		if err := takeTurns(c, all); err != nil {
			return err
		}
	}
	return printAdditions(out, c, all)
}

// warm fills caches and buffers: it waits for IAM's answers, and takes a second pass for the sizes of documents with them.
func (a *addition) warm(c *corpus) error {
	for range 2 {
		a.size = 0
		a.path.keep = func(lines []byte) { a.size += len(lines) }
		if _, err := a.path.all(c); err != nil {
			return err
		}
	}
	a.path.keep = nil
	return nil
}

// takeTurns is one round: every addition takes the same files after the others, a few at a time.
func takeTurns(c *corpus, all []*addition) error {
	perFile := c.records / len(c.files)
	step := max(turn/perFile, 1)
	sums := make([]time.Duration, len(all))
	for _, a := range all {
		a.allocated = 0
	}
	for from := 0; from < len(c.files); from += step {
		to := min(from+step, len(c.files))
		part := &corpus{files: c.files[from:to], records: (to - from) * perFile}
		for i, a := range all {
			before := allocations()
			took, err := a.path.all(part)
			if err != nil {
				return err
			}
			a.allocated += allocations() - before
			sums[i] += took
		}
	}
	for i, a := range all {
		a.took = append(a.took, sums[i])
		a.shares = append(a.shares, float64(sums[i])/float64(sums[0])-1)
	}
	return nil
}

func printAdditions(out io.Writer, c *corpus, all []*addition) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "with\tpath\tadds\tof the path\tbound\tbytes a document\tallocations a record")
	n := float64(c.records)
	bare := float64(median(all[0].took)) / n / 1e3
	for _, a := range all {
		share := median(a.shares) // steadier than the times: both were taken in the same round
		fmt.Fprintf(table, "%s\t%.2f µs\t%.2f µs\t%+.1f %%\t%s\t%.0f\t%.4f\n",
			a.what, bare*(1+share), bare*share, share*100, a.bound, float64(a.size)/n, float64(a.allocated)/n)
	}
	return table.Flush()
}

// newAdditions makes the bare path, which comes first, and one for each addition.
func newAdditions(ctx context.Context, folder string) ([]*addition, error) {
	server := httptest.NewServer(sampleIAM())
	context.AfterFunc(ctx, server.Close)
	geoip, err := writeDatabases(folder)
	if err != nil {
		return nil, err
	}
	rules, err := filter.New(filter.Config{Drop: fourRules()})
	if err != nil {
		return nil, err
	}
	all := []*addition{{what: "nothing", path: newPath()}, {what: "four filter rules", bound: "3 %", path: newPath()}}
	all[1].path.before = func(r *cloudtrail.Record, _ *ecs.Fragments) { rules.Drops(r) } // all go on, so that sizes are alike
	none := enrich.Config{Wait: patience}
	tags, names, places, agents, every := none, none, none, none, enrich.Default()
	tags.IAMTags, names.AccountNames, agents.UserAgent = every.IAMTags, every.AccountNames, every.UserAgent
	places.GeoIP, every.GeoIP, every.Wait = geoip, geoip, patience
	for _, part := range []struct {
		what, bound string
		config      enrich.Config
	}{
		{"iam tags", "", tags},
		{"account names", "", names},
		{"places and networks", "", places},
		{"user agents", "", agents},
		{"all four", "10 %", every},
	} {
		set, err := newSet(ctx, part.config, server.URL)
		if err != nil {
			return nil, err
		}
		a := &addition{what: part.what, bound: part.bound, path: newPath()}
		a.path.before = func(r *cloudtrail.Record, f *ecs.Fragments) { set.Enrich(ctx, r, f) }
		all = append(all, a)
		if part.bound == "" {
			continue
		}
		alone := &addition{what: "all four, without what they add to documents", path: newPath()}
		var unused ecs.Fragments
		alone.path.before = func(r *cloudtrail.Record, _ *ecs.Fragments) {
			unused = ecs.Fragments{}
			set.Enrich(ctx, r, &unused)
		}
		all = append(all, alone)
	}
	return all, nil
}

// newSet makes enrichers that ask the stand-in at url, until ctx ends.
func newSet(ctx context.Context, c enrich.Config, url string) (*enrich.Set, error) {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "s", "AWS_EC2_METADATA_DISABLED": "true", "AWS_PROFILE": "",
	} {
		if err := os.Setenv(name, value); err != nil {
			return nil, err
		}
	}
	loader, err := awsconfig.Load(ctx, awsconfig.Config{Region: "us-east-1", EndpointURL: url}, zap.NewNop())
	if err != nil {
		return nil, err
	}
	set, err := enrich.New(c, enrich.Options{AWS: loader, Metrics: prometheus.NewRegistry(), Log: zap.NewNop()})
	if err == nil {
		go set.Run(ctx)
	}
	return set, err
}

// sampleIAM knows the principals of the sample records; who is not there has a negative answer.
func sampleIAM() *standin.IAM {
	iam := &standin.IAM{Own: sampleAccount, Organization: "o-exampleorg", Names: map[string]string{sampleAccount: "samples"}}
	for _, name := range []string{"user/bert-jan", "user/benjamin"} {
		iam.Put(sampleAccount, name, standin.Principal{
			Path: "/people/", Tags: map[string]string{"team": "red", "site": "Utrecht", "cost-center": "4711"},
		})
	}
	return iam
}

// quietCorpus is a corpus in which three of four records come from one address, as in the sample files, and the others from
// some hundred: with one of its own for each record, as the other tables have it, no cache would be warm. It is without
// the events of IAM: those that change users make the caches cold again.
func quietCorpus(n, perFile int) (*corpus, error) {
	records, err := sampleRecords()
	if err != nil {
		return nil, err
	}
	quiet := records[:0]
	for _, r := range records {
		if !bytes.Contains(r, []byte(`"eventSource":"iam.amazonaws.com"`)) {
			quiet = append(quiet, r)
		}
	}
	c := &corpus{records: n * perFile}
	w := writer{rnd: rand.New(rand.NewPCG(1, uint64(perFile))), at: time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC), steady: true}
	for range n {
		c.files = append(c.files, w.file(quiet, perFile))
	}
	return c, nil
}

func fourRules() []filter.Rule {
	return []filter.Rule{
		`{"eventSource":["kms.amazonaws.com"],"eventName":["Decrypt",{"prefix":"Describe"}]}`,
		`{"eventName":["AssumeRole"],"userIdentity":{"type":["AWSService"],"invokedBy":[{"suffix":".amazonaws.com"}]}}`,
		`{"sourceIPAddress":[{"cidr":"10.0.0.0/8"},{"cidr":"fd00::/8"}],"readOnly":[true]}`,
		`{"userAgent":[{"wildcard":"*prowler*"}],"errorCode":[{"exists":false}]}`,
	}
}

// writeDatabases writes MMDB files that know every address of the corpus, by sixteens, with values of the usual length.
func writeDatabases(folder string) (enrich.GeoIPConfig, error) {
	c := enrich.GeoIPConfig{City: filepath.Join(folder, "city.mmdb"), ASN: filepath.Join(folder, "asn.mmdb")}
	english := func(name string) mmdbtype.Map {
		return mmdbtype.Map{"names": mmdbtype.Map{"en": mmdbtype.String(name)}, "iso_code": mmdbtype.String("NL")}
	}
	err := writeDatabase(c.City, "GeoLite2-City", func(n int) mmdbtype.Map {
		return mmdbtype.Map{
			"city": english("Amsterdam-" + strconv.Itoa(n)), "continent": english("Europe"), "country": english("The Netherlands"),
			"location":     mmdbtype.Map{"latitude": mmdbtype.Float64(52.3716), "longitude": mmdbtype.Float64(4.8883)},
			"subdivisions": mmdbtype.Slice{english("North Holland")},
		}
	})
	if err != nil {
		return c, err
	}
	return c, writeDatabase(c.ASN, "GeoLite2-ASN", func(n int) mmdbtype.Map {
		return mmdbtype.Map{
			"autonomous_system_number":       mmdbtype.Uint32(64_500 + n),
			"autonomous_system_organization": mmdbtype.String("Example Networks B.V."),
		}
	})
}

func writeDatabase(path, kind string, record func(n int) mmdbtype.Map) error {
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: kind, IncludeReservedNetworks: true})
	if err != nil {
		return err
	}
	for n := range 4096 {
		block := net.IPNet{IP: net.IPv4(203, 0, byte(n>>4), byte(n<<4)), Mask: net.CIDRMask(28, 32)}
		if err := tree.Insert(&block, record(n%200)); err != nil {
			return err
		}
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = tree.WriteTo(f)
	return err
}
