package enrich_test

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/trailship/trailship/pipeline/ecs"
	"github.com/trailship/trailship/pipeline/enrich"
	"github.com/trailship/trailship/test/standin"
)

// writeMMDB writes a database with one network, in place of what is there.
func writeMMDB(t testing.TB, path, kind, network string, record mmdbtype.Map) {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: kind, IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	_, block, err := net.ParseCIDR(network)
	if err != nil {
		t.Fatal(err)
	}
	if err := tree.Insert(block, record); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := tree.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func english(name string) mmdbtype.Map {
	return mmdbtype.Map{"names": mmdbtype.Map{"en": mmdbtype.String(name), "de": mmdbtype.String("x")}}
}

func named(name, code string) mmdbtype.Map {
	m := english(name)
	m["iso_code"] = mmdbtype.String(code)
	return m
}

func writeCity(tb testing.TB, path, network, name string) {
	tb.Helper()
	writeMMDB(tb, path, "GeoLite2-City", network, mmdbtype.Map{
		"city": english(name), "continent": english("Europe"), "country": named("Sweden", "SE"),
		"location":     mmdbtype.Map{"latitude": mmdbtype.Float64(58.4167), "longitude": mmdbtype.Float64(15.6167)},
		"subdivisions": mmdbtype.Slice{named("Östergötland County", "E")},
	})
}

func writeASN(tb testing.TB, path, network string) {
	tb.Helper()
	writeMMDB(tb, path, "GeoLite2-ASN", network, mmdbtype.Map{
		"autonomous_system_number": mmdbtype.Uint32(29518), "autonomous_system_organization": mmdbtype.String("Bredband2 AB"),
	})
}

func geoConfig(tb testing.TB) enrich.Config {
	tb.Helper()
	dir := tb.TempDir()
	c := enrich.Config{GeoIP: enrich.GeoIPConfig{City: filepath.Join(dir, "city.mmdb"), ASN: filepath.Join(dir, "asn.mmdb")}}
	writeCity(tb, c.GeoIP.City, "0.0.0.0/0", "Linköping")
	writeASN(tb, c.GeoIP.ASN, "0.0.0.0/0")
	return c
}

func TestGeoIP(t *testing.T) {
	g := newRig(t, &standin.IAM{}, geoConfig(t))
	geo := map[string]any{
		"city_name": "Linköping", "continent_name": "Europe", "country_iso_code": "SE", "country_name": "Sweden",
		"region_iso_code": "SE-E", "region_name": "Östergötland County", "location": map[string]any{"lat": 58.4167, "lon": 15.6167},
	}
	network := map[string]any{"number": 29518.0, "organization": map[string]any{"name": "Bredband2 AB"}}
	for _, tt := range []struct {
		address string
		found   bool
	}{
		{"89.160.20.156", true},
		{"::ffff:89.160.20.156", true},
		{"10.1.2.3", false},
		{"192.168.1.1", false},
		{"100.64.0.1", false},
		{"127.0.0.1", false},
		{"169.254.1.1", false},
		{"0.0.0.0", false},
		{"fd00::1", false},
		{"::1", false},
		{"2001:db8::1", false}, // not in these files
		{"AWS Internal", false},
		{"s3.amazonaws.com", false},
	} {
		t.Run(tt.address, func(t *testing.T) {
			for range 2 { // the second answer is a cached one
				doc := g.document(t, `{"eventName":"X","sourceIPAddress":"`+tt.address+`"}`)
				if !tt.found {
					if got := at(doc, "source", "geo"); got != nil || at(doc, "source", "as") != nil {
						t.Errorf("got %v", doc["source"])
					}
					continue
				}
				if diff := cmp.Diff(geo, at(doc, "source", "geo")); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff(network, at(doc, "source", "as")); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
	if n := g.logs.FilterMessageSnippet("no ASN database").Len(); n != 0 {
		t.Errorf("got %d warnings that there is no ASN database", n)
	}
}

func TestGeoIP_warns(t *testing.T) {
	g := newRig(t, &standin.IAM{}, enrich.Config{})
	if n := g.logs.FilterMessageSnippet("no ASN database").Len(); n != 1 {
		t.Errorf("got %d warnings that there is no ASN database, want 1", n)
	}
}

func TestGeoIP_missing(t *testing.T) {
	_, err := enrich.New(enrich.Config{GeoIP: enrich.GeoIPConfig{City: "nowhere.mmdb"}}, enrich.Options{Log: zap.NewNop()})
	if err == nil || !bytes.Contains([]byte(err.Error()), []byte("geoip.city")) {
		t.Errorf("got %v, want an error of geoip.city", err)
	}
}

// A file that is replaced, also by one written over it, is in use half a minute later; a broken one is not.
func TestGeoIP_reload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := geoConfig(t)
		core, logs := observer.New(zap.InfoLevel)
		set, err := enrich.New(c, enrich.Options{Metrics: prometheus.NewRegistry(), Log: zap.New(core)})
		if err != nil {
			t.Fatal(err)
		}
		g := &rig{set: set, encoder: ecs.NewEncoder(ecs.Config{})}
		go set.Run(t.Context())
		place := func() any {
			return at(g.document(t, `{"eventName":"X","sourceIPAddress":"89.160.20.156"}`), "source", "geo", "city_name")
		}
		if got := place(); got != "Linköping" {
			t.Fatalf("got %v", got)
		}
		writeCity(t, c.GeoIP.City, "0.0.0.0/0", "Stockholm by")
		if got := place(); got != "Linköping" {
			t.Errorf("got %v at once, want the old place", got)
		}
		time.Sleep(31 * time.Second)
		if got := place(); got != "Stockholm by" {
			t.Errorf("got %v, want the new place", got)
		}
		if err := os.WriteFile(c.GeoIP.City, []byte("broken"), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(31 * time.Second)
		if got := place(); got != "Stockholm by" {
			t.Errorf("got %v with a broken file, want the last good one", got)
		}
		if logs.FilterMessageSnippet("cannot be read").Len() == 0 {
			t.Error("nothing was said about the broken file")
		}
	})
}
