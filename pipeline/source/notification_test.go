package source

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/test/standin"
)

const logKey = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/02/03/111122223333_CloudTrail_eu-west-1_20260203T0405Z_AbCdEfGhIjKlMnOp.json.gz"

// bodies are one message body of every form, by name.
func bodies() map[string]string {
	s3 := standin.Notice("audit-logs", "team one/a+b/"+logKey, 2048)
	trail := `{"s3Bucket":"audit-logs","s3ObjectKey":["AWSLogs/a+b%20c.json.gz","AWSLogs/d.json.gz"]}`
	return map[string]string{
		"s3":             s3,
		"s3 through sns": envelope(s3),
		"s3 through two": envelope(envelope(s3)),
		"s3 of several": `{"Records":[
			{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-east-1","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},"object":{"key":"one","size":1}}},
			{"eventVersion":"2.3","eventSource":"aws:s3","awsRegion":"us-east-1","eventName":"ObjectRemoved:Delete","s3":{"bucket":{"name":"b"},"object":{"key":"gone"}}},
			{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-east-1","eventName":"ObjectCreated:Copy","s3":{"bucket":{"name":"b"},"object":{"key":"two","size":-5}}}]}`,
		"s3 not encoded":     `{"Records":[{"eventSource":"aws:s3","eventName":"s3:ObjectCreated:Put","s3":{"bucket":{"name":"b"},"object":{"key":"100%"}}}]}`,
		"s3 without records": `{"Records":[]}`,
		"eventbridge": `{"version":"0","id":"3f1e","detail-type":"Object Created","source":"aws.s3","account":"111122223333","time":"2026-02-03T04:05:06Z","region":"eu-west-1",
			"resources":["arn:aws:s3:::audit-logs"],"detail":{"version":"0","bucket":{"name":"audit-logs"},"object":{"key":"a+b%20c.json.gz","size":2048,"etag":"9f0c"},"reason":"PutObject"}}`,
		"eventbridge deleted": `{"detail-type":"Object Deleted","source":"aws.s3","detail":{}}`,
		"cloudtrail":          envelope(trail),
		"cloudtrail raw":      trail,
		"cloudtrail one":      `{"s3Bucket":"audit-logs","s3ObjectKey":"AWSLogs/d.json.gz"}`,
		"test event":          `{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-02-03T04:00:00.000Z","Bucket":"audit-logs","RequestId":"REQ0","HostId":"HOST0"}`,
		"validation":          "CloudTrail validation message.\n",
		"validation by sns":   envelope("CloudTrail validation message."),
		"subscription":        `{"Type":"SubscriptionConfirmation","Message":"You have chosen to subscribe","SubscribeURL":"https://sns.example/?Action=ConfirmSubscription"}`,
		"unsubscription":      `{"Type":"UnsubscribeConfirmation","Message":"You have chosen to deactivate","SubscribeURL":"https://sns.example/"}`,
	}
}

// envelope wraps a message as SNS does.
func envelope(message string) string {
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(message)
	return `{"Type":"Notification","MessageId":"b0c1","TopicArn":"arn:aws:sns:eu-west-1:111122223333:audit","Message":"` + quoted + `","Timestamp":"2026-02-03T04:05:07.000Z"}`
}

func TestParse(t *testing.T) {
	fromS3 := []notice{{bucket: "audit-logs", key: "team one/a+b/" + logKey, region: "eu-west-1", size: 2048}}
	fromTrail := []notice{{bucket: "audit-logs", key: "AWSLogs/a+b%20c.json.gz", size: -1}, {bucket: "audit-logs", key: "AWSLogs/d.json.gz", size: -1}}
	want := map[string]notification{
		"s3":             {objects: fromS3},
		"s3 through sns": {objects: fromS3},
		"s3 through two": {objects: fromS3},
		"s3 of several": {others: 1, objects: []notice{
			{bucket: "b", key: "one", region: "us-east-1", size: 1}, {bucket: "b", key: "two", region: "us-east-1", size: -1},
		}},
		"s3 not encoded":     {objects: []notice{{bucket: "b", key: "100%", size: -1}}},
		"s3 without records": {idle: "a notice without records"},
		"eventbridge": {objects: []notice{
			{bucket: "audit-logs", key: "a+b%20c.json.gz", region: "eu-west-1", owner: "111122223333", size: 2048},
		}},
		"eventbridge deleted": {others: 1},
		"cloudtrail":          {objects: fromTrail},
		"cloudtrail raw":      {objects: fromTrail},
		"cloudtrail one":      {objects: fromTrail[1:]},
		"test event":          {idle: "a test event of S3"},
		"validation":          {idle: "a validation message of CloudTrail"},
		"validation by sns":   {idle: "a validation message of CloudTrail"},
		"subscription":        {idle: "a subscription to confirm by hand", warn: true},
		"unsubscription":      {idle: "a subscription to confirm by hand", warn: true},
	}
	for name, body := range bodies() {
		t.Run(name, func(t *testing.T) {
			got, err := parse(body)
			if err != nil {
				t.Fatalf("parse: %v", err)
			}
			if diff := cmp.Diff(want[name], got, cmp.AllowUnexported(notification{}, notice{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// strangers are bodies that must never be deleted.
func strangers() map[string]string {
	deep := standin.Notice("b", "k", 1)
	for range maxEnvelopes + 1 {
		deep = envelope(deep)
	}
	return map[string]string{
		"empty":               "",
		"text":                "hello",
		"null":                "null",
		"array":               `[{"Records":[]}]`,
		"empty object":        "{}",
		"cut off":             `{"Records":[{"eventSource":"aws:s3"`,
		"a log file":          `{"Records":[{"eventVersion":"1.08","eventSource":"s3.amazonaws.com","eventName":"PutObject"}]}`,
		"keys of other case":  `{"records":[{"eventSource":"aws:s3"}]}`,
		"records no array":    `{"Records":{"eventSource":"aws:s3"}}`,
		"no bucket":           `{"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"object":{"key":"k"}}}]}`,
		"no key":              `{"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"}}}]}`,
		"a later version":     `{"Records":[{"eventVersion":"3.0","eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},"object":{"key":"k"}}}]}`,
		"sns of text":         envelope("hello"),
		"sns too deep":        deep,
		"message no string":   `{"Type":"Notification","Message":{"Records":[]}}`,
		"api call event":      `{"detail-type":"AWS API Call via CloudTrail","source":"aws.s3","detail":{}}`,
		"eventbridge no key":  `{"detail-type":"Object Created","source":"aws.s3","detail":{"bucket":{"name":"b"}}}`,
		"eventbridge bare":    `{"detail-type":"Object Created","source":"aws.s3"}`,
		"cloudtrail no names": `{"s3Bucket":"b","s3ObjectKey":[""]}`,
		"cloudtrail of maps":  `{"s3Bucket":"b","s3ObjectKey":[{}]}`,
	}
}

func TestParse_unknown(t *testing.T) {
	for name, body := range strangers() {
		t.Run(name, func(t *testing.T) {
			if got, err := parse(body); err == nil {
				t.Errorf("parse takes it as %+v, want an error", got)
			} else if len(err.Error()) > 200 {
				t.Errorf("the error quotes the body: %v", err)
			}
		})
	}
}

func FuzzNotification(f *testing.F) {
	for _, body := range bodies() {
		f.Add(body)
	}
	for _, body := range strangers() {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		n, err := parse(body)
		if err != nil && (len(n.objects) > 0 || n.idle != "") {
			t.Errorf("an error and work at once: %+v, %v", n, err)
		}
		for _, o := range n.objects {
			if o.bucket == "" || o.key == "" || o.size < -1 {
				t.Errorf("no object can be read by this: %+v", o)
			}
		}
	})
}
