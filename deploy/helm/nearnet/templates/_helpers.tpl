{{- define "nearnet.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "nearnet.selector" -}}
app.kubernetes.io/name: nearnet
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "nearnet.labels" -}}
{{ include "nearnet.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "nearnet.image" -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
