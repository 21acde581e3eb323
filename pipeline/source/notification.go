package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// notice is one object that a message announces.
type notice struct {
	bucket string
	key    string // decoded
	region string // the bucket's region as the notice has it, "" when it has none
	owner  string // the account that owns the bucket, "" when the notice does not say
	size   int64  // in bytes, -1 when the notice does not say
}

// notification is what a message body says.
type notification struct {
	objects []notice // created objects
	others  int      // events that are not about a created object
	idle    string   // why the message names no object at all, "" when it does
	warn    bool     // idle is something the operator should know
}

// maxEnvelopes is how deep SNS envelopes may be nested. One is normal, two are seen where topics are chained.
const maxEnvelopes = 4

// validation is what CloudTrail sends to a topic when a trail is set up.
const validation = "CloudTrail validation message."

var (
	errForm  = errors.New("it is none of the notices that S3, SNS, EventBridge and CloudTrail send")
	errDepth = fmt.Errorf("its envelopes are nested more than %d deep", maxEnvelopes)
)

// parse reads a message body. Forms are told apart by content alone. An error means that the form is not known. Sources:
// Amazon S3 User Guide, "Event message structure" and "EventBridge event message structure"; Amazon SNS Developer Guide,
// "Message and JSON formats"; AWS CloudTrail User Guide, "Configuring Amazon SNS notifications for CloudTrail".
func parse(body string) (notification, error) {
	for range maxEnvelopes + 1 {
		body = strings.TrimSpace(body)
		if body == validation {
			return notification{idle: "a validation message of CloudTrail"}, nil
		}
		var members map[string]json.RawMessage // a struct would match keys regardless of case
		if err := json.Unmarshal([]byte(body), &members); err != nil {
			return notification{}, fmt.Errorf("it is no JSON object: %w", err)
		}
		inner, enveloped := unwrap(members)
		if !enveloped {
			return parseEvent(members)
		}
		body = inner
	}
	return notification{}, errDepth
}

// unwrap returns the message inside an SNS envelope.
func unwrap(members map[string]json.RawMessage) (inner string, ok bool) {
	if text(members["Type"]) != "Notification" || members["Message"] == nil {
		return "", false
	}
	return inner, json.Unmarshal(members["Message"], &inner) == nil
}

func parseEvent(members map[string]json.RawMessage) (notification, error) {
	switch text(members["Type"]) {
	case "SubscriptionConfirmation", "UnsubscribeConfirmation":
		return notification{idle: "a subscription to confirm by hand", warn: true}, nil
	}
	if text(members["Event"]) == "s3:TestEvent" {
		return notification{idle: "a test event of S3"}, nil
	}
	if kind := text(members["detail-type"]); kind != "" && text(members["source"]) == "aws.s3" {
		return parseEventBridge(kind, members)
	}
	if keys := members["s3ObjectKey"]; keys != nil {
		return parseCloudTrail(text(members["s3Bucket"]), keys)
	}
	if records := members["Records"]; records != nil {
		return parseS3(records)
	}
	return notification{}, errForm
}

// text is a JSON string's content, "" for anything else.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// parseEventBridge reads S3's event on EventBridge. Its key is not encoded.
func parseEventBridge(kind string, members map[string]json.RawMessage) (notification, error) {
	if kind != "Object Created" {
		if strings.HasPrefix(kind, "Object ") {
			return notification{others: 1}, nil
		}
		return notification{}, errForm
	}
	var detail struct {
		Bucket struct{ Name string }
		Object struct {
			Key  string
			Size *int64
		}
	}
	if err := json.Unmarshal(members["detail"], &detail); err != nil {
		return notification{}, fmt.Errorf("reading its detail: %w", err)
	}
	n := notification{}
	err := n.add(notice{
		bucket: detail.Bucket.Name, key: detail.Object.Key, size: sizeOf(detail.Object.Size),
		region: text(members["region"]),
		owner:  text(members["account"]), // the bucket owner's account, by the page "EventBridge event message structure"
	})
	return n, err
}

// parseCloudTrail reads CloudTrail's own notice. Its keys are not encoded, and it tells no sizes.
func parseCloudTrail(bucket string, raw json.RawMessage) (notification, error) {
	var keys []string
	if !bytes.HasPrefix(raw, []byte("[")) {
		keys = []string{text(raw)}
	} else if err := json.Unmarshal(raw, &keys); err != nil {
		return notification{}, fmt.Errorf("reading its s3ObjectKey: %w", err)
	}
	n := notification{}
	for _, key := range keys {
		if err := n.add(notice{bucket: bucket, key: key, size: -1}); err != nil {
			return notification{}, err
		}
	}
	return n, nil
}

type s3Record struct {
	EventVersion, EventSource, EventName, AWSRegion string

	S3 struct {
		Bucket struct{ Name string }
		Object struct {
			Key  string
			Size *int64
		}
	}
}

// parseS3 reads S3's own notice. Its keys are form-encoded.
func parseS3(raw json.RawMessage) (notification, error) {
	var records []s3Record
	if err := json.Unmarshal(raw, &records); err != nil {
		return notification{}, fmt.Errorf("reading its Records: %w", err)
	}
	n := notification{}
	for _, r := range records {
		if r.EventSource != "aws:s3" || r.EventName == "" {
			return notification{}, errForm
		}
		if major, _, _ := strings.Cut(r.EventVersion, "."); major != "" && major != "2" {
			return notification{}, fmt.Errorf("its version %.20q is not known", r.EventVersion)
		}
		if !strings.HasPrefix(strings.TrimPrefix(r.EventName, "s3:"), "ObjectCreated:") {
			n.others++
			continue
		}
		key, err := url.QueryUnescape(r.S3.Object.Key)
		if err != nil {
			key = r.S3.Object.Key // a service that does not encode: the key stands as it is
		}
		err = n.add(notice{bucket: r.S3.Bucket.Name, key: key, region: r.AWSRegion, size: sizeOf(r.S3.Object.Size)})
		if err != nil {
			return notification{}, err
		}
	}
	if len(records) == 0 {
		n.idle = "a notice without records"
	}
	return n, nil
}

func (n *notification) add(o notice) error {
	if o.bucket == "" || o.key == "" {
		return errors.New("it names an object without a bucket or a key")
	}
	n.objects = append(n.objects, o)
	return nil
}

func sizeOf(size *int64) int64 {
	if size == nil || *size < 0 {
		return -1
	}
	return *size
}
