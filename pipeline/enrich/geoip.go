package enrich

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
	"go.uber.org/zap"

	"github.com/trailship/trailship/config/value"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
)

const (
	addresses   = 65_536
	addressSize = 64 // longer than any address
	reloadEvery = 30 * time.Second
)

// locator adds the place and the network of a record's source address, from MMDB files.
type locator struct {
	config GeoIPConfig
	log    *zap.Logger
	places atomic.Pointer[places]
}

// places are the files of one moment, and what was found in them. Old files are closed by the garbage collector, when no
// record looks into them any more.
type places struct {
	city, asn *maxminddb.Reader // nil: none
	seen      [2]stamp
	memo      *memo
}

// stamp tells a file from the one that replaces it.
type stamp struct {
	size     int64
	modified time.Time
}

// newLocator opens the files. Its errors are *value.Problem.
func newLocator(c GeoIPConfig, log *zap.Logger) (*locator, error) {
	l := &locator{config: c, log: log}
	if c.ASN == "" {
		log.Warn("no ASN database is given: 19 of Elastic's detection rules read source.as.organization.name; set enrich.geoip.asn to an MMDB file")
	}
	p := &places{memo: newMemo(addresses)}
	var err error
	if p.city, p.seen[0], err = openMMDB(c.City); err != nil {
		return nil, value.Wrong("city", "%v", err)
	}
	if p.asn, p.seen[1], err = openMMDB(c.ASN); err != nil {
		return nil, value.Wrong("asn", "%v", err)
	}
	l.places.Store(p)
	return l, nil
}

// openMMDB maps a file into memory, nil for no path. It maps a copy that has no name: whoever writes over the file itself
// would otherwise pull it from under our feet.
func openMMDB(path string) (*maxminddb.Reader, stamp, error) {
	if path == "" {
		return nil, stamp{}, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, stamp{}, fmt.Errorf("reading the MMDB file: %w", err)
	}
	reader, err := openCopy(path)
	if err != nil {
		return nil, stamp{}, fmt.Errorf("reading the MMDB file %s: %w", path, err)
	}
	return reader, stamp{info.Size(), info.ModTime()}, nil
}

func openCopy(path string) (*maxminddb.Reader, error) {
	from, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	to, err := os.CreateTemp("", "trailship-*.mmdb")
	if err != nil {
		return maxminddb.Open(path) // nowhere to copy to
	}
	defer os.Remove(to.Name())
	defer to.Close()
	if _, err := io.Copy(to, from); err != nil {
		return nil, err
	}
	return maxminddb.Open(to.Name())
}

func (l *locator) enrich(r *cloudtrail.Record, f *ecs.Fragments) {
	text := r.Field(cloudtrail.SourceIPAddress).Text()
	if len(text) == 0 || len(text) > addressSize {
		return
	}
	p := l.places.Load()
	f.Source = p.memo.fragment(text, p.render)
}

// shared is the block of carrier-grade NAT. Source: RFC 6598.
func shared() netip.Prefix { return netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64, 0, 0}), 10) }

// render makes the members of source for an address, nothing for the name of a service and for an address that is nobody's
// in particular.
func (p *places) render(text string) []byte {
	addr, ok := cloudtrail.ParseAddr([]byte(text))
	if !ok {
		return nil
	}
	addr = addr.Unmap()
	if !addr.IsGlobalUnicast() || addr.IsPrivate() || shared().Contains(addr) {
		return nil
	}
	return p.appendNetwork(p.appendPlace(nil, addr), addr)
}

// city is what is read of a city database. Source: MaxMind, "GeoIP2 and GeoLite2 City databases".
type city struct {
	City struct {
		Names names `maxminddb:"names"`
	} `maxminddb:"city"`
	Continent struct {
		Names names `maxminddb:"names"`
	} `maxminddb:"continent"`
	Country struct {
		Code  string `maxminddb:"iso_code"`
		Names names  `maxminddb:"names"`
	} `maxminddb:"country"`
	Location struct {
		Latitude  *float64 `maxminddb:"latitude"`
		Longitude *float64 `maxminddb:"longitude"`
	} `maxminddb:"location"`
	Regions []struct {
		Code  string `maxminddb:"iso_code"`
		Names names  `maxminddb:"names"`
	} `maxminddb:"subdivisions"`
}

type names struct {
	English string `maxminddb:"en"`
}

// appendPlace appends "geo":{…}, as Elastic's geoip processor writes it.
func (p *places) appendPlace(dst []byte, addr netip.Addr) []byte {
	var found city
	if p.city == nil || p.city.Lookup(addr).Decode(&found) != nil {
		return dst
	}
	mark := len(dst)
	dst = append(dst, `"geo":{`...)
	dst = appendMember(dst, "continent_name", found.Continent.Names.English)
	dst = appendMember(dst, "country_iso_code", found.Country.Code)
	dst = appendMember(dst, "country_name", found.Country.Names.English)
	if len(found.Regions) > 0 {
		if code := found.Regions[0].Code; code != "" && found.Country.Code != "" {
			dst = appendMember(dst, "region_iso_code", found.Country.Code+"-"+code)
		}
		dst = appendMember(dst, "region_name", found.Regions[0].Names.English)
	}
	dst = appendMember(dst, "city_name", found.City.Names.English)
	if at := found.Location; at.Latitude != nil && at.Longitude != nil {
		dst = append(dst, `"location":{"lat":`...)
		dst = strconv.AppendFloat(dst, *at.Latitude, 'f', -1, 64)
		dst = append(dst, `,"lon":`...)
		dst = strconv.AppendFloat(dst, *at.Longitude, 'f', -1, 64)
		dst = append(dst, `},`...)
	}
	return closed(dst, mark)
}

// appendNetwork appends "as":{…}.
func (p *places) appendNetwork(dst []byte, addr netip.Addr) []byte {
	var found struct {
		Number       uint32 `maxminddb:"autonomous_system_number"`
		Organization string `maxminddb:"autonomous_system_organization"`
	}
	if p.asn == nil || p.asn.Lookup(addr).Decode(&found) != nil {
		return dst
	}
	mark := len(dst)
	dst = append(dst, `"as":{`...)
	if found.Number != 0 {
		dst = append(dst, `"number":`...)
		dst = append(strconv.AppendUint(dst, uint64(found.Number), 10), ',')
	}
	if found.Organization != "" {
		dst = append(dst, `"organization":{"name":`...)
		dst = append(ecs.AppendString(dst, found.Organization), `},`...)
	}
	return closed(dst, mark)
}

// closed ends the object that begins at mark, or takes it back when it is empty.
func closed(dst []byte, mark int) []byte {
	if dst[len(dst)-1] != ',' {
		return dst[:mark]
	}
	dst[len(dst)-1] = '}'
	return append(dst, ',')
}

// run takes over files that were replaced, until ctx ends.
func (l *locator) run(ctx context.Context) {
	tick := time.NewTicker(reloadEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			l.reload()
		case <-ctx.Done():
			return
		}
	}
}

// reload opens what was replaced. A file that cannot be read, perhaps because it is being written, is left for later.
func (l *locator) reload() {
	old := l.places.Load()
	fresh := *old
	changed := false
	for i, file := range []struct {
		path   string
		reader **maxminddb.Reader
	}{{l.config.City, &fresh.city}, {l.config.ASN, &fresh.asn}} {
		info, err := os.Stat(file.path)
		if file.path == "" || err != nil || old.seen[i] == (stamp{info.Size(), info.ModTime()}) {
			continue
		}
		reader, seen, err := openMMDB(file.path)
		if err != nil {
			l.log.Warn("a new MMDB file cannot be read, the old one stays in use", zap.Error(err))
			continue
		}
		*file.reader, fresh.seen[i], changed = reader, seen, true
		l.log.Info("a new MMDB file is in use", zap.String("file", file.path))
	}
	if changed {
		fresh.memo = newMemo(addresses)
		l.places.Store(&fresh)
	}
}
