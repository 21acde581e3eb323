package source

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/pipeline/awsconfig"
	"github.com/trailship/trailship/pipeline/cloudtrail"
)

func TestConfig_Validate(t *testing.T) {
	good := func(change func(*QueueConfig)) Config {
		q := QueueConfig{QueueURL: "https://sqs.eu-west-1.amazonaws.com/111122223333/cloudtrail"}
		change(&q)
		return Config{SQS: []QueueConfig{q}}
	}
	for _, c := range []struct {
		name   string
		config Config
		want   string // what the message begins with, "" when there is none
	}{
		{"only a URL", good(func(*QueueConfig) {}), ""},
		{"everything", good(func(q *QueueConfig) {
			q.VisibilityTimeout, q.Buckets = 30*time.Second, []string{"a"}
			q.Keys = Keys{Include: []string{"**/CloudTrail/**"}, Exclude: []string{"**/{a,b}/*.gz"}}
			q.AssumeRole = awsconfig.Role{ARN: "arn:aws:iam::111122223333:role/reader", ExternalID: "x"}
		}), ""},
		{"no queue", Config{}, "sqs: there is no source"},
		{"no URL", good(func(q *QueueConfig) { q.QueueURL = "" }), `sqs[0].queue_url: "" is no queue`},
		{"a name", good(func(q *QueueConfig) { q.QueueURL = "cloudtrail" }), `sqs[0].queue_url: "cloudtrail" is no queue`},
		{"an ARN", good(func(q *QueueConfig) { q.QueueURL = "arn:aws:sqs:eu-west-1:111122223333:q" }), `sqs[0].queue_url: "arn:`},
		{"twice", Config{SQS: []QueueConfig{{QueueURL: "http://h/q"}, {QueueURL: "http://h/q"}}}, "sqs[1].queue_url: http://h/q is listed twice"},
		{"short", good(func(q *QueueConfig) { q.VisibilityTimeout = 4 * time.Second }), "sqs[0].visibility_timeout: 4s is out of range"},
		{"long", good(func(q *QueueConfig) { q.VisibilityTimeout = 13 * time.Hour }), "sqs[0].visibility_timeout: 13h0m0s is out of range"},
		{"broken seconds", good(func(q *QueueConfig) { q.VisibilityTimeout = 31500 * time.Millisecond }), "sqs[0].visibility_timeout: 31.5s"},
		{"empty bucket", good(func(q *QueueConfig) { q.Buckets = []string{"a", ""} }), "sqs[0].buckets[1]: a bucket needs a name"},
		{"bad glob", good(func(q *QueueConfig) { q.Keys.Include = []string{"a/[b"} }), `sqs[0].keys.include: "a/[b" is no path glob`},
		{"bad exclusion", good(func(q *QueueConfig) { q.Keys.Exclude = []string{""} }), `sqs[0].keys.exclude: "" is no path glob`},
		{"bad role", good(func(q *QueueConfig) { q.AssumeRole.ARN = "reader" }), `sqs[0].assume_role.arn: "reader" is no role`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			if err := c.config.Validate(); err != nil {
				got = err.Error()
			}
			if !strings.HasPrefix(got, c.want) || (c.want == "") != (got == "") {
				t.Errorf("got %q, want %q…", got, c.want)
			}
		})
	}
}

func TestQueueConfig_endpoint(t *testing.T) {
	for _, c := range []struct{ name, url, region, endpoint string }{
		{"public", "https://sqs.eu-west-1.amazonaws.com/1/q", "eu-west-1", ""},
		{"legacy", "https://ap-southeast-2.queue.amazonaws.com/1/q", "ap-southeast-2", ""},
		{"china", "https://sqs.cn-north-1.amazonaws.com.cn/1/q", "cn-north-1", ""},
		{"government", "https://sqs.us-gov-west-1.amazonaws.com/1/q", "us-gov-west-1", ""},
		{"sovereign", "https://sqs.eusc-de-east-1.amazonaws.eu/1/q", "eusc-de-east-1", "https://sqs.eusc-de-east-1.amazonaws.eu"},
		{"fips", "https://sqs-fips.us-east-1.amazonaws.com/1/q", "us-east-1", "https://sqs-fips.us-east-1.amazonaws.com"},
		{"dual stack", "https://sqs.us-east-1.api.aws/1/q", "us-east-1", "https://sqs.us-east-1.api.aws"},
		{
			"interface endpoint", "https://vpce-0a1b-2c3d.sqs.me-central-1.vpce.amazonaws.com/1/q", "me-central-1",
			"https://vpce-0a1b-2c3d.sqs.me-central-1.vpce.amazonaws.com",
		},
		{"emulator", "http://127.0.0.1:5000/123456789012/q", "", "http://127.0.0.1:5000"},
		{"a name that is no region", "http://my-queue-1:5000/123456789012/q", "", "http://my-queue-1:5000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			region, endpoint := QueueConfig{QueueURL: c.url}.endpoint()
			if got, want := [2]string{region, endpoint}, [2]string{c.region, c.endpoint}; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestRules_choose(t *testing.T) {
	key := func(folder, region string) string {
		return "p/AWSLogs/o-abc/111122223333/" + folder + "/" + region + "/2026/02/03/x.json.gz"
	}
	for _, c := range []struct {
		name    string
		rules   rules
		key     string
		read    bool
		counted string
	}{
		{"log", rules{}, key("CloudTrail", "eu-west-1"), true, ""},
		{"insight", rules{}, key("CloudTrail-Insight", "eu-west-1"), true, ""},
		{"network", rules{}, key("CloudTrail-NetworkActivity", "eu-west-1"), true, ""},
		{"aggregated", rules{}, key("CloudTrail-Aggregated", "eu-west-1"), true, ""},
		{"no grammar", rules{}, "exports/today.json", true, ""},
		{"digest", rules{}, key("CloudTrail-Digest", "eu-west-1"), false, "digest skipped"},
		{"preflight", rules{}, "AWSLogs/111122223333/CloudTrail/", false, "marker skipped"},
		{"a folder of the console", rules{}, "backup/", false, "marker skipped"},
		{"included", rules{keys: Keys{Include: []string{"**/eu-*/**"}}}, key("CloudTrail", "eu-west-1"), true, ""},
		{"not included", rules{keys: Keys{Include: []string{"**/eu-*/**"}}}, key("CloudTrail", "us-east-1"), false, "log excluded"},
		{"excluded", rules{keys: Keys{Exclude: []string{"**/us-*/**"}}}, key("CloudTrail", "us-east-1"), false, "log excluded"},
		{
			"both: the exclusion wins",
			rules{keys: Keys{Include: []string{"**"}, Exclude: []string{"p/**"}}},
			key("CloudTrail-Insight", "us-east-1"), false, "insight excluded",
		},
		{"listed bucket", rules{buckets: []string{"a", "b"}}, key("CloudTrail", "eu-west-1"), true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			counted := ""
			read, err := c.rules.choose([]notice{{bucket: "b", key: c.key}}, func(content cloudtrail.Content, result string) {
				counted = content.String() + " " + result
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]any{c.read, c.counted}, []any{len(read) == 1, counted}); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	t.Run("foreign bucket", func(t *testing.T) {
		r := rules{buckets: []string{"ours"}}
		read, err := r.choose([]notice{{bucket: "ours", key: "k"}, {bucket: "theirs", key: "AWSLogs/"}}, func(cloudtrail.Content, string) {})
		if err == nil || len(read) > 0 {
			t.Errorf("got %v, %v, want an error: no object of such a message is read", read, err)
		}
	})
}
