package enrich

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/trailship/trailship/config/value"
)

// Config is the enrich section.
type Config struct {
	Wait         time.Duration  `yaml:"wait"` // longest an event waits for a cold lookup
	IAMTags      TagsConfig     `yaml:"iam_tags"`
	AccountNames AccountsConfig `yaml:"account_names"`
	GeoIP        GeoIPConfig    `yaml:"geoip"`
	UserAgent    UserAgent      `yaml:"user_agent"`
}

// TagsConfig says how the tags of users and roles are found and written.
type TagsConfig struct {
	Enabled        bool              `yaml:"enabled"`
	TTL            time.Duration     `yaml:"ttl"`              // after which an answer is asked for again, in the background
	NegativeTTL    time.Duration     `yaml:"negative_ttl"`     // the same for a user or role that is not there
	AssumeRoleName string            `yaml:"assume_role_name"` // the role to read IAM with in other accounts; "": only our own account is asked
	Include        []string          `yaml:"include"`          // tag keys that are kept, * for any characters; empty: all
	Exclude        []string          `yaml:"exclude"`          // tag keys that are not; wins
	Map            map[string]string `yaml:"map"`              // fields that a tag's value is copied to, by tag key
	CacheFile      string            `yaml:"cache_file"`       // keeps answers across restarts; "": none
	Principals     int               `yaml:"principals"`       // users and roles kept in memory
}

// AccountsConfig says where the names of accounts come from.
type AccountsConfig struct {
	Enabled   bool              `yaml:"enabled"`
	Static    map[string]string `yaml:"static"`     // by account id; goes before what AWS says
	CacheFile string            `yaml:"cache_file"` // keeps names across restarts; "": none
}

// GeoIPConfig names MMDB files; "" is none.
type GeoIPConfig struct {
	City string `yaml:"city"`
	ASN  string `yaml:"asn"`
}

// UserAgent says whether user agents are taken apart.
type UserAgent struct {
	Enabled bool `yaml:"enabled"`
}

// Default is what keys mean that a file does not have.
func Default() Config {
	return Config{
		Wait: 2 * time.Second,
		IAMTags: TagsConfig{
			Enabled: true, TTL: time.Hour, NegativeTTL: 10 * time.Minute, Principals: 100_000,
		},
		AccountNames: AccountsConfig{Enabled: true},
		UserAgent:    UserAgent{Enabled: true},
	}
}

// maxWait keeps a wait far below the time in which SQS would deliver a message again.
const maxWait = time.Minute

// Validate returns every Problem of the section, joined. It reads no file and asks no network.
func (c Config) Validate() error {
	var errs []error
	if c.Wait < 0 || c.Wait > maxWait {
		errs = append(errs, value.Wrong("wait", "%s is out of range: write 0s to 1m, such as 2s", c.Wait))
	}
	return errors.Join(append(errs,
		value.Under("iam_tags", c.IAMTags.Validate()),
		value.Under("account_names", c.AccountNames.Validate()))...)
}

// Validate returns every Problem of the section, joined.
func (c TagsConfig) Validate() error {
	var errs []error
	if c.TTL < time.Minute {
		errs = append(errs, value.Wrong("ttl", "%s would ask IAM all the time: write 1m or more, such as 1h", c.TTL))
	}
	if c.NegativeTTL < time.Minute {
		errs = append(errs, value.Wrong("negative_ttl", "%s would ask IAM all the time: write 1m or more, such as 10m", c.NegativeTTL))
	}
	if c.Principals < 1 {
		errs = append(errs, value.Wrong("principals", "%d users and roles keep nothing: write 1 or more", c.Principals))
	}
	if !regexp.MustCompile(`^[\w+=,.@-]{0,64}$`).MatchString(c.AssumeRoleName) {
		errs = append(errs, value.Wrong("assume_role_name", "%q is no name of a role: write it alone, without ARN and path", c.AssumeRoleName))
	}
	taken := map[string]string{}
	for _, tag := range slices.Sorted(maps.Keys(c.Map)) {
		field := c.Map[tag]
		if err := validTarget(field); err != nil {
			errs = append(errs, value.Under("map."+tag, err))
		}
		if other, twice := taken[field]; twice {
			errs = append(errs, value.Wrong("map."+tag, "%s is filled from %s already: map one of them", field, other))
		}
		taken[field] = tag
	}
	return errors.Join(errs...)
}

// targets are the fields that a tag may be copied to, besides labels.NAME: those of ecs.Fields that nothing else fills.
func targets() []string {
	return []string{
		"user.group.name", "user.group.id", "user.group.domain", "user.domain", "user.full_name", "user.roles", "organization.name",
	}
}

const labels = "labels."

func validTarget(field string) error {
	name, label := strings.CutPrefix(field, labels)
	if label && regexp.MustCompile(`^[\w-]+$`).MatchString(name) || slices.Contains(targets(), field) {
		return nil
	}
	return value.Wrong("", "%q cannot be filled from a tag: write one of %s, or labels.NAME", field, strings.Join(targets(), ", "))
}

// Validate returns every Problem of the section, joined.
func (c AccountsConfig) Validate() error {
	var errs []error
	for _, id := range slices.Sorted(maps.Keys(c.Static)) {
		if !isAccount([]byte(id)) {
			errs = append(errs, value.Wrong("static."+id, "%q is no account: write its 12 digits in quotes, such as \"111122223333\"", id))
		}
		if c.Static[id] == "" {
			errs = append(errs, value.Wrong("static."+id, "a name must stand here"))
		}
	}
	return errors.Join(errs...)
}

// isAccount reports whether text is an account's id.
func isAccount(text []byte) bool {
	if len(text) != 12 {
		return false
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// keyRule decides which tag keys are kept.
type keyRule struct{ include, exclude *regexp.Regexp }

func newKeyRule(c TagsConfig) keyRule { return keyRule{oneOf(c.Include), oneOf(c.Exclude)} }

// oneOf matches texts that any of the patterns matches, in which * stands for any characters; nil for no pattern.
func oneOf(patterns []string) *regexp.Regexp {
	if len(patterns) == 0 {
		return nil
	}
	each := make([]string, len(patterns))
	for i, p := range patterns {
		each[i] = strings.ReplaceAll(regexp.QuoteMeta(p), `\*`, `.*`)
	}
	return regexp.MustCompile(fmt.Sprintf(`(?s)^(?:%s)$`, strings.Join(each, "|")))
}

func (k keyRule) keeps(key string) bool {
	return (k.include == nil || k.include.MatchString(key)) && (k.exclude == nil || !k.exclude.MatchString(key))
}
