package source

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/trailship/trailship/config/value"
	"github.com/trailship/trailship/pipeline/awsconfig"
)

// Config is the sources section: exactly one kind.
type Config struct {
	SQS       []QueueConfig    `yaml:"sqs"`
	Directory *DirectoryConfig `yaml:"directory"`
}

// QueueConfig is one queue of sources.sqs.
type QueueConfig struct {
	QueueURL          string         `yaml:"queue_url"`
	VisibilityTimeout time.Duration  `yaml:"visibility_timeout"` // 0: DefaultVisibility
	Buckets           []string       `yaml:"buckets"`            // empty: any
	Keys              Keys           `yaml:"keys"`
	AssumeRole        awsconfig.Role `yaml:"assume_role"` // for this queue's objects
}

// Keys says by path globs, as doublestar reads them, which objects are read. An exclusion wins.
type Keys struct {
	Include []string `yaml:"include"` // empty: all
	Exclude []string `yaml:"exclude"`
}

// DefaultVisibility is the visibility timeout of a queue that sets none.
const DefaultVisibility = 5 * time.Minute

// SetDefaults fills in what a queue of the configuration file means that it does not say.
func (q *QueueConfig) SetDefaults() { q.VisibilityTimeout = DefaultVisibility }

// The bounds of a visibility timeout: below the first the heartbeat would be most of the traffic, the second is SQS's own.
const (
	minVisibility = 5 * time.Second
	maxVisibility = 12 * time.Hour
)

// Validate checks the section without asking AWS. Its errors are *value.Problem, joined.
func (c Config) Validate() error {
	if c.Directory != nil {
		if len(c.SQS) > 0 {
			return value.Wrong("directory", "sqs stands here too: keep one of them, and run a second trailship for the other")
		}
		return value.Under("directory", c.Directory.Validate())
	}
	if len(c.SQS) == 0 {
		return value.Wrong("sqs", "there is no source: name at least one queue, such as sqs: [{queue_url: https://sqs.eu-west-1.amazonaws.com/111122223333/cloudtrail}]")
	}
	var errs []error
	seen := map[string]bool{}
	for i, q := range c.SQS {
		section := fmt.Sprintf("sqs[%d]", i)
		errs = append(errs, value.Under(section, q.Validate()))
		if seen[q.QueueURL] {
			errs = append(errs, value.Wrong(section+".queue_url", "%s is listed twice: name each queue once", q.QueueURL))
		}
		seen[q.QueueURL] = true
	}
	return errors.Join(errs...)
}

// Validate checks one queue without asking AWS. Its errors are *value.Problem, joined.
func (q QueueConfig) Validate() error {
	var errs []error
	if u, err := url.Parse(q.QueueURL); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || len(u.Path) < 2 {
		errs = append(errs, value.Wrong("queue_url", "%q is no queue: write its URL, such as https://sqs.eu-west-1.amazonaws.com/111122223333/cloudtrail", q.QueueURL))
	}
	if v := q.VisibilityTimeout; v != 0 && (v < minVisibility || v > maxVisibility || v%time.Second != 0) {
		errs = append(errs, value.Wrong("visibility_timeout", "%s is out of range: write whole seconds from 5s to 12h, such as 5m", v))
	}
	if i := slices.Index(q.Buckets, ""); i >= 0 {
		errs = append(errs, value.Wrong(fmt.Sprintf("buckets[%d]", i), "a bucket needs a name; an empty list lets in every bucket"))
	}
	errs = append(errs,
		value.Under("keys.include", validGlobs(q.Keys.Include)),
		value.Under("keys.exclude", validGlobs(q.Keys.Exclude)),
		value.Under("assume_role", q.AssumeRole.Validate()),
	)
	return errors.Join(errs...)
}

func validGlobs(globs []string) error {
	for _, g := range globs {
		if g == "" || !doublestar.ValidatePattern(g) {
			return value.Wrong("", "%q is no path glob: write one such as **/CloudTrail/eu-*/**", g)
		}
	}
	return nil
}

func (q QueueConfig) visibility() time.Duration {
	if q.VisibilityTimeout == 0 {
		return DefaultVisibility
	}
	return q.VisibilityTimeout
}

// name is the queue's name, the last part of its URL.
func (q QueueConfig) name() string { return path.Base(q.QueueURL) }

// regionForm is what a region's code looks like: eu-west-1, us-gov-east-1, eusc-de-east-1. A region from a notice is only
// believed when it has this form, because it becomes part of a host name.
func regionForm() *regexp.Regexp {
	return regexp.MustCompile(`^[a-z]{2,4}(-[a-z]{2,5})?-((north|south)?(east|west)|north|south|central)-[0-9]{1,2}$`)
}

// endpoint reads the queue's region and, when it is not the region's public one, its service's endpoint from its URL. The
// SDK looks at neither. Both may be "". Source: Amazon SQS Developer Guide, "Amazon SQS queue and message identifiers";
// AWS General Reference, "Amazon SQS endpoints and quotas".
func (q QueueConfig) endpoint() (region, endpoint string) {
	u, err := url.Parse(q.QueueURL)
	if err != nil {
		return "", ""
	}
	host := u.Hostname()
	form := regionForm()
	for label := range strings.SplitSeq(host, ".") {
		if form.MatchString(label) {
			region = label
		}
	}
	for _, suffix := range []string{".amazonaws.com", ".amazonaws.com.cn"} {
		if host == "sqs."+region+suffix || host == region+".queue"+suffix {
			return region, ""
		}
	}
	return region, u.Scheme + "://" + u.Host
}
