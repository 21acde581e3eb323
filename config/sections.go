package config

import (
	"errors"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trailship/trailship/config/value"
	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/ecs"
	"github.com/trailship/trailship/pipeline/redact"
)

// What output.format may be.
const (
	FormatECS = "ecs"
	FormatRaw = "raw"
)

// Output says how documents look and where they go.
type Output struct {
	Format       string     `yaml:"format"`        // ecs, or raw: the record as CloudTrail wrote it
	Retain       ecs.Retain `yaml:"retain"`        // which copies of the free-form objects are kept: all, keyword, flattened, minimal, none
	KeepOriginal bool       `yaml:"keep_original"` // event.original
	Index        string     `yaml:"index"`         // {…} is filled from the event's own time
	DataStream   bool       `yaml:"data_stream"`   // Index names a data stream
	Namespace    string     `yaml:"namespace"`     // data_stream.namespace

	Labels map[string]string `yaml:"labels"` // members of labels in every document
	Tags   []string          `yaml:"tags"`   // elements of tags in every document
	Redact redact.Config     `yaml:"redact"` // what must not leave the process
}

// Limits bound what the daemon takes at a time.
type Limits struct {
	Memory       value.Bytes `yaml:"memory"`        // bytes of records, documents and objects in hand
	InFlight     int         `yaml:"in_flight"`     // messages in hand
	BulkBytes    value.Bytes `yaml:"bulk_bytes"`    // of one bulk request, before compression
	BulkRequests int         `yaml:"bulk_requests"` // at once
	Rate         Rate        `yaml:"rate"`
}

// Rate bounds what goes to the cluster in a second; 0 is no bound.
type Rate struct {
	Documents int         `yaml:"documents"`
	Bytes     value.Bytes `yaml:"bytes"` // before compression
}

// Shutdown says how a daemon ends.
type Shutdown struct {
	Timeout time.Duration `yaml:"timeout"` // how long SIGTERM lets what is in hand finish
}

// Server is the daemon's own HTTP server: /metrics, /healthz, /readyz, /status.
type Server struct {
	Listen   string `yaml:"listen"`   // "" turns it off
	Pprof    bool   `yaml:"pprof"`    // Go profiles below /debug/pprof/
	Insecure bool   `yaml:"insecure"` // profiles beyond loopback too
}

// Log says what the daemon logs to stderr, and how.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn, error
	Format string `yaml:"format"` // json, console
}

// Validate returns every Problem of the section.
func (o Output) Validate() error {
	errs := []error{
		oneOf("format", o.Format, FormatECS, FormatRaw),
		oneOf("retain", string(o.Retain), "all", "keyword", "flattened", "minimal", "none"),
		validNamespace("namespace", o.Namespace),
		value.Under("redact", o.Redact.Validate()),
		o.validLabels(),
	}
	switch index, err := pipeline.ParseIndexPattern(o.Index); {
	case err != nil:
		errs = append(errs, value.Wrong("index", "%v", err))
	case o.DataStream && index.Dated():
		errs = append(errs, value.Wrong("index", "%q has a date, but a data stream makes its indices by itself: "+
			"write its plain name, or no index for logs-aws.cloudtrail-NAMESPACE", o.Index))
	}
	if o.DataStream && o.Format == FormatRaw {
		errs = append(errs, value.Wrong("data_stream", "there is no data stream of raw records: leave out format: raw, or data_stream"))
	}
	return errors.Join(errs...)
}

// The least a daemon can work with: smaller ones would stand still or send a request for every document.
const (
	minMemory    = 8 << 20
	minBulkBytes = 64 << 10
	minRate      = 64 << 10
	maxBulkBytes = 100 << 20 // http.max_content_length of Elasticsearch and OpenSearch
)

// Validate returns every Problem of the section.
func (l Limits) Validate() error {
	var errs []error
	if l.Memory < minMemory {
		errs = append(errs, value.Wrong("memory", "%s is too little to work with: write at least 8MiB", l.Memory))
	}
	if l.InFlight < 1 {
		errs = append(errs, value.Wrong("in_flight", "%d messages at a time move nothing: write 1 or more", l.InFlight))
	}
	if l.BulkBytes < minBulkBytes || l.BulkBytes > maxBulkBytes {
		errs = append(errs, value.Wrong("bulk_bytes",
			"%s is outside of what a cluster takes well: write 64KiB to 100MiB, best about 5MiB", l.BulkBytes))
	}
	if l.BulkRequests < 1 {
		errs = append(errs, value.Wrong("bulk_requests", "%d requests at a time move nothing: write 1 or more", l.BulkRequests))
	}
	if l.Rate.Documents < 0 {
		errs = append(errs, value.Wrong("rate.documents", "%d a second move nothing: write 1 or more, or 0 for no bound", l.Rate.Documents))
	}
	if l.Rate.Bytes != 0 && l.Rate.Bytes < minRate {
		errs = append(errs, value.Wrong("rate.bytes", "%s a second is less than one record may have: write 64KiB or more, or 0 for no bound", l.Rate.Bytes))
	}
	return errors.Join(errs...)
}

// Validate returns every Problem of the section.
func (s Shutdown) Validate() error {
	if s.Timeout < 0 {
		return value.Wrong("timeout", "%s is before now: write 0s or more", s.Timeout)
	}
	return nil
}

// Validate returns every Problem of the section.
func (s Server) Validate() error {
	if s.Listen == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(s.Listen)
	if err != nil {
		return value.Wrong("listen", "%q is no address: write host:port such as 127.0.0.1:9600, or \"\" for no server", s.Listen)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return value.Wrong("listen", "%q is no port: write a number up to 65535", port)
	}
	if s.Pprof && !s.Insecure && !loopback(host) {
		return value.Wrong("pprof", "profiles hold parts of what is in memory, and %s can be reached from elsewhere: "+
			"listen on 127.0.0.1, or write insecure: true", s.Listen)
	}
	return nil
}

// loopback reports whether only this machine can reach an address of host.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Validate returns every Problem of the section.
func (l Log) Validate() error {
	return errors.Join(
		oneOf("level", l.Level, "debug", "info", "warn", "error"),
		oneOf("format", l.Format, "json", "console"),
	)
}

// oneOf is the Problem of a value that is none of the allowed ones.
func oneOf(key, got string, allowed ...string) error {
	if slices.Contains(allowed, got) {
		return nil
	}
	advice := "write one of " + strings.Join(allowed, ", ")
	if meant := nearest(got, allowed); meant != "" {
		advice = "did you mean " + meant + "? It is one of " + strings.Join(allowed, ", ")
	}
	return value.Wrong(key, "%q is not known: %s", got, advice)
}

// validNamespace follows the rules of data_stream.namespace. Source: Elastic, "ECS data_stream fields".
func validNamespace(key, name string) error {
	if name == "" || len(name) > 100 || strings.ToLower(name) != name || strings.ContainsAny(name, `\/*?"<>| ,#:-`) {
		return value.Wrong(key, "%q cannot be a namespace: write lower-case letters, digits and _, such as default", name)
	}
	return nil
}

// validLabels checks that labels and tags can be part of a document.
func (o Output) validLabels() error {
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(o.Labels)) {
		if key == "" || strings.ContainsAny(key, ". ") {
			errs = append(errs, value.Wrong("labels."+key, "%q cannot be a label: write letters, digits, - and _, such as environment", key))
		}
	}
	if i := slices.Index(o.Tags, ""); i >= 0 {
		errs = append(errs, value.Wrong("tags["+strconv.Itoa(i)+"]", "a tag cannot be empty"))
	}
	return errors.Join(errs...)
}
