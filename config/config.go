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
	"time"

	"github.com/trailship/trailship/config/value"
)

// Config is the whole file. It is plain data: copy it, compare it, print it with Print only.
type Config struct {
	Output   Output   `yaml:"output"`
	Limits   Limits   `yaml:"limits"`
	Shutdown Shutdown `yaml:"shutdown"`
	Server   Server   `yaml:"server"`
	Log      Log      `yaml:"log"`
}

// Default is what keys mean that a file does not have.
func Default() *Config {
	return &Config{
		Output: Output{
			Retain:    "all",
			Index:     "logs-aws.cloudtrail-trailship-{yyyy.MM.dd}",
			Namespace: "default",
		},
		Limits:   Limits{Memory: 64 << 20, InFlight: 1024, BulkBytes: 5 << 20, BulkRequests: 32},
		Shutdown: Shutdown{Timeout: 25 * time.Second},
		Server:   Server{Listen: "127.0.0.1:9600"},
		Log:      Log{Level: "info", Format: "json"},
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
	decode(r, text, env, cfg)
	r.absorb(cfg.Validate())
	readSecrets(r, cfg)
	if err := r.err(); err != nil {
		return nil, err
	}
	return cfg, nil
}

// Validate returns every Problem of the configuration, each with its whole path. It reads no file and asks no network.
func (c *Config) Validate() error {
	return errors.Join(
		value.Under("output", c.Output.Validate()),
		value.Under("limits", c.Limits.Validate()),
		value.Under("shutdown", c.Shutdown.Validate()),
		value.Under("server", c.Server.Validate()),
		value.Under("log", c.Log.Validate()),
	)
}
