package ecs

import "github.com/trailship/trailship/pipeline/cloudtrail"

// putCloudTrail appends aws.cloudtrail, what CloudTrail says that ECS has no field for.
func (e *Encoder) putCloudTrail(dst []byte) []byte {
	r := e.rec
	mark := len(dst)
	dst = append(dst, `"cloudtrail":{`...)
	dst = e.put(dst, `"event_version":`, r.Field(cloudtrail.EventVersion))
	dst = e.put(dst, `"event_type":`, r.Field(cloudtrail.EventType))
	dst = e.put(dst, `"event_category":`, r.Field(cloudtrail.EventCategory))
	dst = e.put(dst, `"error_code":`, r.Field(cloudtrail.ErrorCode))
	dst = e.put(dst, `"error_message":`, r.Field(cloudtrail.ErrorMessage))
	dst = e.put(dst, `"request_id":`, r.Field(cloudtrail.RequestID))
	dst = e.put(dst, `"api_version":`, r.Field(cloudtrail.APIVersion))
	dst = e.put(dst, `"recipient_account_id":`, r.Field(cloudtrail.RecipientAccountID))
	dst = e.put(dst, `"shared_event_id":`, r.Field(cloudtrail.SharedEventID))
	dst = e.put(dst, `"vpc_endpoint_id":`, r.Field(cloudtrail.VPCEndpointID))
	dst = e.put(dst, `"vpc_endpoint_account_id":`, r.Field(cloudtrail.VPCEndpointAccountID))
	dst = e.put(dst, `"session_credential_from_console":`, r.Field(cloudtrail.SessionCredentialFromConsole))
	dst = e.putManagement(dst, r.Field(cloudtrail.ManagementEvent))
	if v := r.Field(cloudtrail.ReadOnly); isBoolean(v) {
		dst = e.put(dst, `"read_only":`, v)
	}
	if v := r.Field(cloudtrail.Addendum); v.Kind() == cloudtrail.KindObject {
		dst = e.putAddendum(dst, v)
	}
	dst = e.putOnly(dst, `"tls_details":{"key_exchange":`, e.tls.keyExchange)
	dst = e.putIdentity(dst)
	dst = e.putResources(dst)
	dst = e.putConsoleLogin(dst)
	dst = e.putStrings(dst)
	if e.degraded {
		return end(dst, mark, '}')
	}
	dst = e.putFlat(dst, `"event_context":`, r.Field(cloudtrail.EventContext), len("aws.cloudtrail.event_context"), false)
	flat := len(dst)
	dst = append(dst, `"flattened":{`...)
	dst = e.putFlattened(dst)
	dst = e.putFlat(dst, `"insight_details":`, r.Field(cloudtrail.InsightDetails), flattenedPath+len("insight_details"), false)
	dst = e.putDigest(dst)
	dst = e.putOthers(dst)
	dst = end(dst, flat, '}')
	return end(dst, mark, '}')
}

// putManagement appends management_event, which is a boolean in the record and a string here.
func (e *Encoder) putManagement(dst []byte, v cloudtrail.Value) []byte {
	if !v.Exists() || v.Kind() >= cloudtrail.KindString {
		return e.put(dst, `"management_event":`, v)
	}
	dst = append(dst, `"management_event":"`...)
	dst = append(dst, v.Raw()...)
	return append(dst, '"', ',')
}

func (e *Encoder) putAddendum(dst []byte, v cloudtrail.Value) []byte {
	mark := len(dst)
	dst = append(dst, `"addendum":{`...)
	dst = e.put(dst, `"reason":`, v.Get("reason"))
	dst = e.put(dst, `"updated_fields":`, v.Get("updatedFields"))
	dst = e.put(dst, `"original_request_id":`, v.Get("originalRequestID"))
	dst = e.put(dst, `"original_event_id":`, v.Get("originalEventID"))
	return end(dst, mark, '}')
}

// putConsoleLogin appends what a sign-in says about itself: a boolean is false for exactly "No".
func (e *Encoder) putConsoleLogin(dst []byte) []byte {
	v := e.free[additionalForm].value
	if e.call.special != consoleLogin || v.Kind() != cloudtrail.KindObject {
		return dst
	}
	mark := len(dst)
	dst = append(dst, `"console_login":{`...)
	part := len(dst)
	dst = append(dst, `"additional_eventdata":{`...)
	dst = putYes(dst, `"mobile_version":`, v.Get("MobileVersion"))
	dst = e.put(dst, `"login_to":`, v.Get("LoginTo"))
	dst = putYes(dst, `"mfa_used":`, v.Get("MFAUsed"))
	dst = end(dst, part, '}')
	return end(dst, mark, '}')
}

func putYes(dst []byte, key string, v cloudtrail.Value) []byte {
	if !v.Exists() {
		return dst
	}
	dst = append(dst, key...)
	if v.Is("No") {
		return append(dst, "false,"...)
	}
	return append(dst, "true,"...)
}

// putOthers appends the top-level members that no other field stands for, under their own names. Elastic drops them.
func (e *Encoder) putOthers(dst []byte) []byte {
	if e.others == 0 {
		return dst
	}
	const path = flattenedPath + len("other")
	mark := len(dst)
	dst = append(dst, `"other":{`...)
	taken := names{object: e.rec.Root()}
	for m := e.rec.Root().First(); m.Exists(); m = m.Next() {
		key := m.Key()
		f := cloudtrail.FieldOf(key)
		if f != cloudtrail.Unknown && e.rec.Field(f) != m {
			f = cloudtrail.Unknown // the other spelling of its key was taken
		}
		if !e.others.has(f) || e.digest && f == cloudtrail.Unknown && digestKey(key) != "" {
			continue
		}
		if taken.take(m) {
			dst = e.safeMember(dst, m, path, 1)
		}
	}
	return end(dst, mark, '}')
}
