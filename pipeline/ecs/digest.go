package ecs

import "github.com/trailship/trailship/pipeline/cloudtrail"

// A digest is not an event: one object that lists the log files of an hour, with their hashes. It becomes one document.
// Source: MAPPING section 16; AWS CloudTrail User Guide, "CloudTrail digest file structure".

// digestKey is where a member of a digest goes below flattened.digest, as a fragment; "" for a key that no digest has.
// What goes elsewhere is "-".
func digestKey(key []byte) string {
	switch string(key) {
	case "digestS3Object", "awsAccountId":
		return "-"
	case "digestStartTime":
		return `"start_time":`
	case "digestEndTime":
		return `"end_time":`
	case "newestEventTime":
		return `"newest_event_time":`
	case "oldestEventTime":
		return `"oldest_event_time":`
	case "digestS3Bucket":
		return `"s3_bucket":`
	case "previousDigestS3Bucket":
		return `"previous_s3_bucket":`
	case "previousDigestS3Object":
		return `"previous_s3_object":`
	case "previousDigestHashValue":
		return `"previous_hash_value":`
	case "previousDigestHashAlgorithm":
		return `"previous_hash_algorithm":`
	case "previousDigestSignature":
		return `"previous_signature":`
	case "digestSignatureAlgorithm":
		return `"signature_algorithm":`
	case "digestPublicKeyFingerprint", "publicKeyFingerprint":
		return `"public_key_fingerprint":`
	case "logFiles":
		return `"log_files":`
	}
	return ""
}

// digestTime tells which members are times.
func digestTime(key []byte) bool {
	switch string(key) {
	case "digestStartTime", "digestEndTime", "newestEventTime", "oldestEventTime":
		return true
	}
	return false
}

// readDigest finds out whether the record is a digest and what is wrong with it.
func (e *Encoder) readDigest() {
	for m := e.rec.Root().First(); m.Exists(); m = m.Next() {
		e.digest = e.digest || digestKey(m.Key()) != ""
		if !digestTime(m.Key()) {
			continue
		}
		if at := momentOf(m); !at.exists() {
			e.fail("a time of the digest is not a time")
		}
	}
}

func (e *Encoder) putDigest(dst []byte) []byte {
	if !e.digest {
		return dst
	}
	const path = flattenedPath + len("digest.previous_hash_algorithm") // or shorter
	mark := len(dst)
	dst = append(dst, `"digest":{`...)
	for m := e.rec.Root().First(); m.Exists(); m = m.Next() {
		key := digestKey(m.Key())
		if key == "" || key == "-" || string(m.Key()) == "publicKeyFingerprint" && e.rec.Root().Get("digestPublicKeyFingerprint").Exists() {
			continue
		}
		if digestTime(m.Key()) {
			at := momentOf(m)
			dst = putMoment(dst, key, &at)
			continue
		}
		member := len(dst)
		dst = append(dst, key...)
		value := len(dst)
		if dst = e.safe(dst, m, path, 2); len(dst) == value {
			dst = dst[:member]
		}
	}
	return end(dst, mark, '}')
}

// putFile appends file, the digest's own name.
func (e *Encoder) putFile(dst []byte) []byte {
	if !e.digest {
		return dst
	}
	return e.putOnly(dst, `"file":{"path":`, e.rec.Root().Get("digestS3Object"))
}

func (e *Encoder) previousHash() cloudtrail.Value {
	if !e.digest {
		return cloudtrail.Value{}
	}
	return e.rec.Root().Get("previousDigestHashValue")
}
