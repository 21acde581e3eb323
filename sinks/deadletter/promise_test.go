package deadletter_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"go.uber.org/zap/zaptest"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/awsconfig"
	"github.com/trailship/trailship/sinks/deadletter"
	"github.com/trailship/trailship/sinks/sinktest"
	"github.com/trailship/trailship/test/standin"
)

// recordOf is the record's bytes, in whichever member they are.
func recordOf(k kept) string {
	if k.RecordBase64 != nil {
		return string(k.RecordBase64)
	}
	return k.Record
}

func TestIndex_promise(t *testing.T) {
	t.Parallel()
	sinktest.DeadLetters(t, func(t *testing.T) sinktest.LetterRig {
		t.Helper()
		s := newServer(t)
		var broken atomic.Bool
		s.Item = func(string, []byte, []byte) *standin.ItemFault {
			if broken.Load() {
				return &standin.ItemFault{Status: 403, Type: "cluster_block_exception", Reason: "read-only"}
			}
			return nil
		}
		return sinktest.LetterRig{
			Place: places(t, deadletter.Config{Index: "dead"}, s),
			Kept: func(t *testing.T) map[string]string {
				t.Helper()
				got := map[string]string{}
				for id, text := range s.Docs() {
					var k kept
					if err := json.Unmarshal(text, &k); err != nil {
						t.Fatal(err)
					}
					got[strings.TrimPrefix(id, "dead/")] = recordOf(k)
				}
				return got
			},
			Break: func(*testing.T) func() {
				broken.Store(true)
				return func() { broken.Store(false) }
			},
		}
	})
}

func TestDirectory_promise(t *testing.T) {
	t.Parallel()
	sinktest.DeadLetters(t, func(t *testing.T) sinktest.LetterRig {
		t.Helper()
		dir := t.TempDir()
		return sinktest.LetterRig{
			Place: places(t, deadletter.Config{Directory: dir}, nil),
			Kept: func(t *testing.T) map[string]string {
				t.Helper()
				got := map[string]string{}
				for _, k := range lines(t, dir) {
					got[k.ID] = recordOf(k)
				}
				return got
			},
			Break: func(t *testing.T) func() { // gone, and no way to make it again
				t.Helper()
				aside := dir + "-aside"
				if err := os.Rename(dir, aside); err != nil {
					t.Fatal(err)
				}
				return func() {
					if err := os.Rename(aside, dir); err != nil {
						t.Fatal(err)
					}
				}
			},
		}
	})
}

// cloud is an S3 that a test can break, and an account on it.
type cloud struct {
	*standin.S3
	broken atomic.Bool
	config func(region string) aws.Config
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{S3: standin.NewS3()}
	c.Fault = func(string, string, string) *standin.S3Fault {
		if c.broken.Load() {
			return &standin.S3Fault{Status: 403, Code: "AccessDenied"}
		}
		return nil
	}
	server := httptest.NewServer(c.S3)
	t.Cleanup(server.Close)
	loader, err := awsconfig.Load(t.Context(), awsconfig.Config{Region: "eu-west-1", EndpointURL: server.URL}, zaptest.NewLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	c.config = func(region string) aws.Config { return loader.Config(region, awsconfig.Role{}) }
	return c
}

func (c *cloud) place(t *testing.T, at string) *deadletter.Places {
	t.Helper()
	p, err := deadletter.New(deadletter.Config{S3: at}, deadletter.Options{AWS: c.config, Log: zaptest.NewLogger(t)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// letters are the letters in the objects below a prefix.
func (c *cloud) letters(t *testing.T, bucket, prefix string) (all []kept, keys []string) {
	t.Helper()
	for key, body := range c.Objects(bucket, prefix) {
		keys = append(keys, key)
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		for scan := bufio.NewScanner(bytes.NewReader(text)); scan.Scan(); {
			var k kept
			if err := json.Unmarshal(scan.Bytes(), &k); err != nil {
				t.Fatal(err)
			}
			all = append(all, k)
		}
	}
	return all, keys
}

func TestS3_promise(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	sinktest.DeadLetters(t, func(t *testing.T) sinktest.LetterRig {
		t.Helper()
		c := newCloud(t)
		c.AddBucket("keep", "eu-central-1") // elsewhere: its region is found out
		return sinktest.LetterRig{
			Place: c.place(t, "s3://keep/dead/letters/"),
			Kept: func(t *testing.T) map[string]string {
				t.Helper()
				got := map[string]string{}
				all, _ := c.letters(t, "keep", "dead/letters/")
				for _, k := range all {
					got[k.ID] = recordOf(k)
				}
				return got
			},
			Break: func(*testing.T) func() {
				c.broken.Store(true)
				return func() { c.broken.Store(false) }
			},
		}
	})
}

func TestS3_sharesObjects(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	c := newCloud(t)
	c.AddBucket("keep", "")
	p := c.place(t, "s3://keep")
	done := make(chan error)
	for range 50 {
		go func() { done <- p.Bury(context.WithoutCancel(t.Context()), []pipeline.Letter{letter("same", `{}`)}) }()
	}
	for range 50 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	all, keys := c.letters(t, "keep", "")
	if len(all) != 50 || len(keys) > 10 {
		t.Errorf("got %d letters in %d objects, want 50 in few", len(all), len(keys))
	}
	form := regexp.MustCompile(`^\d{4}/\d\d/\d\d/mapper_parsing_exception/\d{8}T\d{6}Z-[A-Z2-7]{26}\.ndjson\.gz$`)
	for _, key := range keys {
		if !form.MatchString(key) {
			t.Errorf("key %s, want date/reason/time-random.ndjson.gz", key)
		}
	}
}

func TestPlaces_ready(t *testing.T) {
	s := newServer(t)
	var broken atomic.Bool
	s.Fault = func(*http.Request) *standin.ClusterFault {
		if broken.Load() {
			return &standin.ClusterFault{Status: http.StatusForbidden}
		}
		return nil
	}
	p := places(t, deadletter.Config{Index: "dead"}, s)
	for _, c := range []struct {
		broken bool
		want   string
	}{{false, ""}, {true, "their messages stay in the queue"}, {false, ""}} {
		broken.Store(c.broken)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		err := p.Bury(ctx, []pipeline.Letter{letter("a", `{}`)})
		cancel()
		if (err != nil) != c.broken {
			t.Errorf("Bury: %v", err)
		}
		switch err := p.Ready(); {
		case err == nil && c.want != "", err != nil && (c.want == "" || !strings.Contains(err.Error(), c.want)):
			t.Errorf("Ready: got %v, want %q", err, c.want)
		}
	}
}

func TestConfig_Validate(t *testing.T) {
	for _, c := range []struct{ name, s3, index, want string }{
		{"nothing", "", "", ""},
		{"a bucket", "s3://bucket", "", ""},
		{"a prefix", "s3://bucket/a/b/", "", ""},
		{"a name", "bucket", "", `"bucket" is no place in S3: write s3://bucket/prefix`},
		{"a URL", "https://bucket.s3.amazonaws.com/a", "", "is no place in S3"},
		{"no bucket", "s3:///a", "", "is no place in S3"},
		{"both wrong", "x", "Dead-{yyyy}", "is no name of one index"},
	} {
		err := deadletter.Config{S3: c.s3, Index: c.index}.Validate()
		if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}
