import { ARGO_NAMESPACE, type HANDED_OVER, IN_CLUSTER } from "../../components/platform/hand-over.ts";

/** Where the config repository is, and what of it is followed. */
export interface Origin {
  readonly repository: string;
  /** Branch or tag; `HEAD` is the repository's own default. */
  readonly revision: string;
}

/** What is particular to a top folder. */
const OWN = {
  platform: {
    set: `  syncPolicy:
    # What the cluster's users build on keeps data: when its folder goes, what it deployed stays until somebody deletes it.
    preserveResourcesOnDeletion: true
`,
    option: `
          # Definitions of published charts are too large for the annotation that Argo CD would keep otherwise.
          - ServerSideApply=true`,
  },
  workloads: { set: "", option: "" },
} as const;

/** The ApplicationSet that makes an application of each folder in a top folder. */
export function applicationSet(top: (typeof HANDED_OVER)[number], { repository, revision }: Origin): string {
  const [repoURL, followed] = [JSON.stringify(repository), JSON.stringify(revision)];
  return `# Each folder in ${top}/ is an application: adding a folder adds an app.
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata:
  name: ${top}
  namespace: ${ARGO_NAMESPACE}
spec:
  goTemplate: true
  goTemplateOptions: ["missingkey=error"]
  generators:
    - git:
        repoURL: ${repoURL}
        revision: ${followed}
        directories:
          - path: ${top}/*
${OWN[top].set}  template:
    metadata:
      name: "${top}-{{ .path.basenameNormalized }}"
    spec:
      # Never a template: who may add a folder must not choose what it may do.
      project: ${top}
      source:
        repoURL: ${repoURL}
        targetRevision: ${followed}
        path: "{{ .path.path }}"
      destination:
        server: ${IN_CLUSTER}
        namespace: "{{ .path.basenameNormalized }}"
      syncPolicy:
        automated:
          prune: true
          selfHeal: true
        syncOptions:
          - CreateNamespace=true${OWN[top].option}
        # An app may need what another one brings: it tries again for about ten minutes.
        retry:
          limit: 7
          backoff:
            duration: 5s
            factor: 2
            maxDuration: 5m
`;
}
