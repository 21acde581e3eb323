// Package config reads the daemon's one YAML file. Every component has a Config of its own beside the code that uses it;
// this package composes them, reads the file strictly, and says everything that is wrong with it at once, each with its
// line and what would be right.
//
// Every single value may hold ${NAME} of the environment, which is replaced after the YAML was read; $${ is a plain ${.
// Every secret may stand in a file of its own, named by the same key with _file behind it.
package config

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/trailship/trailship/config/value"
	"github.com/trailship/trailship/pipeline/awsconfig"
	"github.com/trailship/trailship/pipeline/ecs"
	"github.com/trailship/trailship/pipeline/enrich"
	"github.com/trailship/trailship/pipeline/filter"
	"github.com/trailship/trailship/pipeline/source"
	"github.com/trailship/trailship/sinks"
	"github.com/trailship/trailship/sinks/deadletter"
	"github.com/trailship/trailship/web"
)

// Config is the whole file. It is plain data: copy it, compare it, print it with Print only.
type Config struct {
	AWS        awsconfig.Config  `yaml:"aws"`
	Sources    source.Config     `yaml:"sources"`
	Filters    filter.Config     `yaml:"filters"`
	Enrich     enrich.Config     `yaml:"enrich"`
	Sinks      sinks.Config      `yaml:"sinks"`
	Output     Output            `yaml:"output"`
	DeadLetter deadletter.Config `yaml:"dead_letter"`
	Limits     Limits            `yaml:"limits"`
	Shutdown   Shutdown          `yaml:"shutdown"`
	Server     Server            `yaml:"server"`
	Web        web.Config        `yaml:"web"`
	Log        Log               `yaml:"log"`
}

// Default is what keys mean that a file does not have.
func Default() *Config {
	return &Config{
		Enrich: enrich.Default(),
		Output: Output{
			Format:    FormatECS,
			Retain:    ecs.RetainAll,
			Index:     "logs-aws.cloudtrail-trailship-{yyyy.MM.dd}",
			Namespace: "default",
		},
		DeadLetter: deadletter.Config{Index: "trailship-dead-letters"},
		Limits:     Limits{Memory: 64 << 20, InFlight: 1024, BulkBytes: 5 << 20, BulkRequests: 32},
		Shutdown:   Shutdown{Timeout: 25 * time.Second},
		Server:     Server{Listen: "127.0.0.1:9600"},
		Log:        Log{Level: "info", Format: "json"},
	}
}

// Load reads the file at path and the secret files that it names. Its error is an *Error when the file could be read but
// something in it is wrong.
func Load(path string) (*Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return Parse(path, text, os.LookupEnv)
}

// Parse reads a configuration from text. name stands for the file in messages; env answers for ${NAME}, as os.LookupEnv
// does. Secret files are read. Its error is an *Error.
func Parse(name string, text []byte, env func(string) (string, bool)) (*Config, error) {
	cfg := Default()
	r := newReport(name)
	if decode(r, text, env, cfg) {
		cfg.chooseDeadLetter(r.lines)
		cfg.chooseIndex(r.lines)
		cfg.chooseEnrich(r.lines)
		readSecrets(r, cfg)
		r.absorb(cfg.Validate())
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return cfg, nil
}

// chooseDeadLetter takes the default index back where a file names another place instead, or a sink that has no index.
func (c *Config) chooseDeadLetter(written map[string]int) {
	_, index := written["dead_letter.index"]
	_, directory := written["dead_letter.directory"]
	_, s3 := written["dead_letter.s3"]
	if !index && (directory || s3 || c.sinkWithoutIndices() != "") {
		c.DeadLetter.Index = ""
	}
}

// chooseIndex names the data stream as Elastic's dashboards and rules expect it, and the index of raw records so that no
// template for ECS documents matches it, unless the file names one.
func (c *Config) chooseIndex(written map[string]int) {
	if _, named := written["output.index"]; named {
		return
	}
	switch {
	case c.Output.DataStream:
		c.Output.Index = "logs-aws.cloudtrail-" + c.Output.Namespace
	case c.Output.Format == FormatRaw:
		c.Output.Index = "cloudtrail-raw-{yyyy.MM.dd}"
	}
}

// chooseEnrich leaves AWS alone where records come from a folder, unless the file says that it is to be asked.
func (c *Config) chooseEnrich(written map[string]int) {
	if c.Sources.Directory == nil {
		return
	}
	if _, told := written["enrich.iam_tags.enabled"]; !told {
		c.Enrich.IAMTags.Enabled = false
	}
	if _, told := written["enrich.account_names.enabled"]; !told {
		c.Enrich.AccountNames.Enabled = len(c.Enrich.AccountNames.Static) > 0
	}
}

// validPage says whether there is something that the page can show.
func (c *Config) validPage() error {
	switch {
	case c.Web.Listen == "" || c.Sinks.NDJSON == nil && c.Output.Format != FormatRaw:
		return nil
	case c.Sinks.NDJSON != nil:
		return value.Wrong("listen", "the page shows what a sink can search: set sinks.local, sinks.elasticsearch or sinks.opensearch, or \"\" for no page")
	case c.Sinks.Local != nil:
		return nil
	}
	return value.Wrong("listen", "the page cannot show documents of output.format raw: write ecs, or \"\" for no page")
}

// Validate returns every Problem of the configuration, each with its whole path. It asks no network.
func (c *Config) Validate() error {
	return errors.Join(
		value.Under("aws", c.AWS.Validate()),
		value.Under("sources", c.Sources.Validate()),
		value.Under("filters", c.Filters.Validate()),
		value.Under("enrich", c.Enrich.Validate()),
		value.Under("sinks", c.Sinks.Validate()),
		value.Under("output", c.validOutput()),
		value.Under("dead_letter", c.validDeadLetter()),
		value.Under("limits", c.Limits.Validate()),
		value.Under("shutdown", c.Shutdown.Validate()),
		value.Under("server", c.Server.Validate()),
		value.Under("web", errors.Join(c.Web.Validate(), c.validPage())),
		value.Under("log", c.Log.Validate()),
	)
}

func (c *Config) validOutput() error {
	for tag, field := range c.Enrich.IAMTags.Map {
		if label, ok := strings.CutPrefix(field, "labels."); ok && c.Output.Labels[label] != "" {
			return value.Wrong("labels."+label, "enrich.iam_tags.map.%s fills it too: keep one of them", tag)
		}
	}
	if sink := c.sinkWithoutIndices(); sink != "" && c.Output.DataStream {
		return errors.Join(value.Wrong("data_stream", "the sink %s has no data streams: leave it out", sink), c.Output.Validate())
	}
	return c.Output.Validate()
}

func (c *Config) validDeadLetter() error {
	if sink := c.sinkWithoutIndices(); sink != "" && c.DeadLetter.Index != "" {
		return value.Wrong("index", "the sink %s has no index: write s3: s3://bucket/prefix or directory: the path of a folder", sink)
	}
	return c.DeadLetter.Validate()
}

// sinkWithoutIndices names the sink if it has no place for an index of dead letters, else it is "".
func (c *Config) sinkWithoutIndices() string {
	switch {
	case c.Sinks.Local != nil:
		return "local"
	case c.Sinks.NDJSON != nil:
		return "ndjson"
	}
	return ""
}
