package ecs_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
)

// typed are the fields of a mapping by name.
func typed(t testing.TB) map[string]ecs.Field {
	t.Helper()
	fields := map[string]ecs.Field{}
	for _, f := range ecs.Fields() {
		if _, ok := fields[f.Name]; ok {
			t.Errorf("%s is listed twice", f.Name)
		}
		fields[f.Name] = f
	}
	return fields
}

// checkTyped fails for every path of a document that the mapping does not type or whose kind of value it refuses.
func checkTyped(t testing.TB, fields map[string]ecs.Field, doc map[string]any) {
	t.Helper()
	for path, v := range doc {
		if elements, ok := v.([]any); ok && path == "aws.cloudtrail.resources" {
			for _, el := range elements {
				for key := range el.(map[string]any) {
					if _, ok := fields[path+"."+key]; !ok && knownResourceKey(key) {
						t.Errorf("%s.%s has no type", path, key)
					}
				}
			}
			continue
		}
		if !takes(fields, path, v) {
			t.Errorf("%s has no type that takes %v", path, v)
		}
	}
}

func knownResourceKey(key string) bool { return key == "arn" || key == "account_id" || key == "type" }

func takes(fields map[string]ecs.Field, path string, v any) bool {
	if f, ok := fields[path]; ok {
		switch f.Type {
		case ecs.Flattened:
			return false // an object's members were expected
		case ecs.Boolean:
			return v == true || v == false || v == "true" || v == "false"
		}
		return true
	}
	for at := strings.LastIndexByte(path, '.'); at > 0; at = strings.LastIndexByte(path[:at], '.') {
		if f, ok := fields[path[:at]]; ok {
			return f.Type == ecs.Flattened
		}
	}
	return false
}

// TestFields: every field that documents of real records have is in the list, so that no mapping misses one.
func TestFields(t *testing.T) {
	fields := typed(t)
	e := ecs.NewEncoder(ecs.Config{KeepOriginal: true})
	records := sampleRecords(t)
	if goldenInputs, err := filepath.Glob(filepath.Join(goldens, "*.input.ndjson")); err == nil {
		for _, name := range goldenInputs {
			for _, line := range lines(t, name) {
				records = append(records, parse(t, line))
			}
		}
	}
	seen := map[string]bool{}
	for _, r := range records {
		doc := decode(t, e.Append(nil, r))
		checkTyped(t, fields, doc)
		checkTyped(t, fields, decode(t, e.AppendDegraded(nil, r, "why")))
		for path := range doc {
			seen[path] = true
		}
	}
	t.Logf("checked %d records with %d paths", len(records), len(seen))
}

// TestEveryField: the list has no field that no document has.
func TestEveryField(t *testing.T) {
	const everything = `{"eventTime":"x","eventVersion":"1.11","eventSource":"sts.amazonaws.com","eventName":"ConsoleLogin","eventID":"e",` +
		`"eventType":"t","eventCategory":"c","apiVersion":"a","awsRegion":"r","sourceIPAddress":"1.2.3.4","userAgent":"aws-cli/1.2 x",` +
		`"errorCode":"e","errorMessage":"m","requestID":"q","recipientAccountId":"1","sharedEventID":"s","vpcEndpointId":"v",` +
		`"vpcEndpointAccountId":"w","sessionCredentialFromConsole":"true","managementEvent":true,"readOnly":true,` +
		`"addendum":{"reason":"r","updatedFields":"u","originalRequestID":"o","originalEventID":"p"},` +
		`"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"c","clientProvidedHostHeader":"h","keyExchange":"k"},` +
		`"userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/R/s@x","principalId":"p","userName":"u","accountId":"1",` +
		`"accessKeyId":"k","invokedBy":"i","invokedByDelegate":{"accountId":"1"},"credentialId":"c","identityProvider":"i",` +
		`"inScopeOf":{"issuerType":"t","credentialsIssuedTo":"c","sourceArn":"a","sourceAccount":"b"},` +
		`"onBehalfOf":{"userId":"u","identityStoreArn":"a"},"sessionContext":{"attributes":{"mfaAuthenticated":"true","creationDate":"20131102T010628Z"},` +
		`"sessionIssuer":{"type":"t","principalId":"p","arn":"a","accountId":"1","userName":"R"},"ec2RoleDelivery":"2","sourceIdentity":"s",` +
		`"assumedRoot":"false","signInSessionArn":"a","webIdFederationData":{"federatedProvider":"f","attributes":{"a":"b"}}}},` +
		`"requestParameters":{"userName":"t","newUserName":"n","groupName":"g"},"responseElements":{"user":{"userId":"U"},"group":{"groupId":"G"}},` +
		`"additionalEventData":{"MobileVersion":"No","LoginTo":"l","MFAUsed":"No"},"serviceEventDetails":{"a":"b"},` +
		`"resources":[{"ARN":"a","accountId":"1","type":"t"}],"insightDetails":{"a":"b"},"eventContext":{"a":"b"},"newThing":"x"}`
	records := []string{
		everything,
		`{"digestEndTime":"2020-09-11T19:36:49Z","digestS3Object":"o","previousDigestHashValue":"h","digestS3Bucket":"b"}`,
		entityRecord("AWSService", "ssm", "StartSession", `"target":"i-0123456789"`), entityRecord("IAMUser", "ssm", "StartSession", `"target":"sg-1"`),
		entityRecord("IAMUser", "iam", "AttachUserPolicy", `"policyArn":"arn:aws:iam::1:user/x"`), entityRecord("SAMLUser", "ssm", "StartSession", `"target":"x"`),
		`{"eventName":"X","userIdentity":{"type":"SAMLUser","arn":"i-1"}}`,
	}
	seen := map[string]bool{}
	e := ecs.NewEncoder(ecs.Config{})
	fields := typed(t)
	for _, text := range records {
		r := parse(t, text)
		r.Object = &cloudtrail.Object{Bucket: "b", Key: "k", Read: r.Object.Read}
		*e.Fragments() = everyFragment()
		doc := decode(t, e.Append(nil, r))
		checkTyped(t, fields, doc)
		for path, v := range doc {
			seen[path] = true
			if path == "aws.cloudtrail.resources" {
				for key := range v.([]any)[0].(map[string]any) {
					seen[path+"."+key] = true
				}
			}
			for at := strings.LastIndexByte(path, '.'); at > 0; at = strings.LastIndexByte(path[:at], '.') {
				seen[path[:at]] = true
			}
		}
	}
	for name := range fields {
		if !seen[name] {
			t.Errorf("%s is in no document", name)
		}
	}
}

// everyFragment fills every field that only enrichers fill.
func everyFragment() ecs.Fragments {
	return ecs.Fragments{
		Source: []byte(`"geo":{"city_name":"a","continent_name":"a","country_iso_code":"a","country_name":"a","region_iso_code":"a",` +
			`"region_name":"a","location":"1,2"},"as":{"number":1,"organization":{"name":"a"}},`),
		UserAgent:    []byte(`"name":"a","version":"1","device":{"name":"a"},"os":{"name":"a","version":"1","full":"a 1"},`),
		CloudAccount: []byte(`"name":"a",`),
		User:         []byte(`"group":{"id":"a","name":"a","domain":"a"},"domain":"a","roles":["a"],"full_name":"a",`),
		IAM: []byte(`"user":{"path":"/","tags":{"a":"b"},"tag":["a=b"]},` +
			`"role":{"path":"/","tags":{"a":"b"},"tag":["a=b"]},`),
		Organization: []byte(`"id":"a","name":"a",`),
		Labels:       []byte(`"a":"b",`),
		Tags:         []byte(`"_a",`),
	}
}

func entityRecord(identity, service, event, request string) string {
	return `{"eventName":"` + event + `","eventSource":"` + service + `.amazonaws.com","recipientAccountId":"999999999999",` +
		`"userIdentity":{"type":"` + identity + `","arn":"arn:aws:x::1:y/z"},"requestParameters":{` + request + `}}`
}
