package pipeline

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// IndexPattern names the index of a record: in logs-{account}-{yyyy.MM.dd} the braces hold the record's account, its
// region or the event's own date. A name without braces is used as it is. The zero value is no pattern;
// ParseIndexPattern makes one. Patterns may be compared.
type IndexPattern struct {
	text   string // as it was written
	layout string // of the date, of package time; "" when there is none
	placed bool   // it holds {account} or {region}
}

// What may stand in braces, besides a date.
const (
	accountPlace = "{account}"
	regionPlace  = "{region}"
)

// braces finds what stands in braces.
func braces() *regexp.Regexp { return regexp.MustCompile(`\{[^{}]*\}`) }

// ParseIndexPattern reads a pattern. In the braces of a date yyyy, MM and dd stand for year, month and day. The error says
// what would be right. Which names are allowed: Elasticsearch Guide, "Create index API".
func ParseIndexPattern(s string) (IndexPattern, error) {
	p := IndexPattern{text: s}
	for _, place := range braces().FindAllString(s, -1) {
		if place == accountPlace || place == regionPlace {
			p.placed = true
			continue
		}
		layout := dateLayout(place)
		if p.layout != "" || strings.Trim(layout, "0126.-_") != "" || !strings.Contains(layout, "2006") {
			return IndexPattern{}, fmt.Errorf("%q is no index name: write one date in braces, such as {yyyy.MM.dd} or {yyyy.MM}, and {account} or {region}", s)
		}
		p.layout = layout
	}
	name := braces().ReplaceAllString(s, "")
	if name == "" || name != strings.ToLower(name) || strings.ContainsAny(name, "\\/*?\"<>| ,#:{}") || strings.ContainsAny(s[:1], "-_+.") {
		return IndexPattern{}, fmt.Errorf("%q is no index name: lower-case letters, digits, - _ and . only, and no - _ + or . in front", s)
	}
	return p, nil
}

func dateLayout(place string) string {
	return strings.NewReplacer("yyyy", "2006", "MM", "01", "dd", "02").Replace(strings.Trim(place, "{}"))
}

// Dated reports whether the name holds a date, so that there are many indices.
func (p IndexPattern) Dated() bool { return p.layout != "" }

// Wildcard is the pattern that matches every index this one names, for templates and roles.
func (p IndexPattern) Wildcard() string {
	name := braces().ReplaceAllString(p.text, "*")
	for strings.Contains(name, "**") {
		name = strings.ReplaceAll(name, "**", "*")
	}
	return name
}

// namer names indices for one goroutine. It remembers names, so that records of one day and place share one string.
type namer struct {
	pattern IndexPattern
	day     int64
	dated   string // the pattern with the date of day
	placed  map[string]string
	key     []byte
}

const (
	// undated stands for the day of events whose day is not known.
	undated = -1 << 40
	// unplaced stands for an account or region that the record does not say, or not in a form that may be part of a name.
	unplaced = "unknown"
	// maxPlaced bounds how many names are remembered.
	maxPlaced = 4096
)

// name is the index for a record whose time is at; a zero time, or one before CloudTrail or far off, belongs into
// "undated". It is never the clock's day: a redelivery on another day must meet its own document.
func (n *namer) name(r *cloudtrail.Record, at time.Time) string {
	day := int64(undated)
	if y := at.Year(); y >= 2006 && y < 2200 {
		day = at.Unix() / 86400
	}
	if n.dated == "" || n.day != day && n.pattern.layout != "" {
		n.day, n.dated = day, n.pattern.on(at, day)
		clear(n.placed)
	}
	if !n.pattern.placed {
		return n.dated
	}
	account, region := accountOf(r), regionOf(r)
	n.key = append(append(append(n.key[:0], account...), '/'), region...)
	if name, known := n.placed[string(n.key)]; known {
		return name
	}
	if n.placed == nil || len(n.placed) >= maxPlaced {
		n.placed = map[string]string{}
	}
	name := strings.NewReplacer(accountPlace, string(account), regionPlace, string(region)).Replace(n.dated)
	n.placed[string(n.key)] = name
	return name
}

// on is the pattern with its date filled in.
func (p IndexPattern) on(at time.Time, day int64) string {
	return braces().ReplaceAllStringFunc(p.text, func(place string) string {
		switch {
		case place == accountPlace || place == regionPlace:
			return place
		case day == undated:
			return "undated"
		}
		return at.Format(dateLayout(place))
	})
}

// accountOf is the account whose log the record belongs to, as an index name may hold it: 12 digits and nothing else.
func accountOf(r *cloudtrail.Record) []byte {
	for _, id := range [...][]byte{
		r.Field(cloudtrail.RecipientAccountID).Bytes(), r.Field(cloudtrail.UserIdentity).Get("accountId").Bytes(),
	} {
		if len(id) == 12 && plain(id, false) {
			return id
		}
	}
	if id := []byte(r.Object.Account); len(id) == 12 && plain(id, false) {
		return id
	}
	return []byte(unplaced)
}

// maxRegion is well over the longest code of a region there is.
const maxRegion = 32

// regionOf is the record's region, as an index name may hold it.
func regionOf(r *cloudtrail.Record) []byte {
	if code := r.Field(cloudtrail.AWSRegion).Text(); isRegion(code) {
		return code
	}
	if code := []byte(r.Object.LogRegion); isRegion(code) {
		return code
	}
	return []byte(unplaced)
}

func isRegion(code []byte) bool { return len(code) > 0 && len(code) <= maxRegion && plain(code, true) }

// plain reports whether text holds digits alone or, where it may, small letters and hyphens too.
func plain(text []byte, letters bool) bool {
	for _, c := range text {
		if digit := c >= '0' && c <= '9'; !digit && (!letters || c != '-' && (c < 'a' || c > 'z')) {
			return false
		}
	}
	return true
}

// indexTime is the time that a record's index is named after: the event's own, else when CloudTrail wrote the file.
func indexTime(r *cloudtrail.Record) (at time.Time, own bool) {
	if at, own = r.Time(); own {
		return at, true
	}
	return r.Object.Delivered, false
}
