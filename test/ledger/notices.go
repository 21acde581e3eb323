package main

import (
	"encoding/json"
	"strings"

	"github.com/trailship/trailship/test/standin"
)

// notice is the body of a message that names the objects, in each of the forms that reach a queue in turn.
func notice(n int, objects []*object) string {
	o := objects[0]
	switch {
	case len(objects) > 1:
		keys := make([]string, len(objects))
		for i := range objects {
			keys[i] = objects[i].key
		}
		return viaSNS(text(map[string]any{"s3Bucket": o.bucket, "s3ObjectKey": keys})) // CloudTrail's own
	case n%4 == 1:
		return viaSNS(standin.Notice(o.bucket, o.key, int64(o.size)))
	case n%4 == 2:
		return text(map[string]any{
			"version": "0", "id": "3f1e", "detail-type": "Object Created", "source": "aws.s3", "region": "eu-west-1",
			"detail": map[string]any{
				"version": "0", "bucket": map[string]any{"name": o.bucket}, "object": map[string]any{"key": o.key, "size": o.size},
			},
		})
	}
	return standin.Notice(o.bucket, o.key, int64(o.size))
}

func viaSNS(message string) string {
	return text(map[string]any{
		"Type": "Notification", "MessageId": "b0c1", "TopicArn": "arn:aws:sns:eu-west-1:111122223333:audit", "Message": message,
	})
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and maps always can be
	}
	return string(b)
}

// A stray is a message that is no notice of a log file.
type stray struct {
	body string
	keep bool // it must stay for the dead-letter queue: nobody knows what it is
}

// strays are messages as they turn up in queues of real accounts.
func strays() []stray {
	removed := strings.ReplaceAll(standin.Notice(goodBucket, "AWSLogs/gone.json.gz", 1), "ObjectCreated:Put", "ObjectRemoved:Delete")
	digest := "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2024/02/27/111122223333_CloudTrail-Digest_eu-west-1_t_eu-west-1_20240227T000000Z.json.gz"
	return []stray{
		{body: `{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2024-02-27T04:00:00.000Z","Bucket":"audit","RequestId":"R","HostId":"H"}`},
		{body: viaSNS("CloudTrail validation message.")},
		{body: `{"Type":"SubscriptionConfirmation","MessageId":"1","Token":"t","TopicArn":"arn:aws:sns:eu-west-1:111122223333:audit","Message":"You have chosen to subscribe","SubscribeURL":"https://sns.example.com"}`},
		{body: removed},
		{body: standin.Notice(goodBucket, digest, 10)},
		{body: standin.Notice(goodBucket, "AWSLogs/111122223333/CloudTrail/", 0)},
		{body: `{"Records":[]}`},
		{body: "hello", keep: true},
		{body: `{"order":17,"lines":[{"sku":"a"}]}`, keep: true},
		{body: `{"Records":[{"eventSource":"aws:ses","ses":{}}]}`, keep: true},
		{body: `[1,2`, keep: true},
		{body: standin.Notice("somebody-elses", "AWSLogs/1/CloudTrail/x.json.gz", 1), keep: true},
	}
}
