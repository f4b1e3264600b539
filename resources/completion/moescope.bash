# bash completion of moescope, made by tests/support/make_completion.py
_moescope() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command="" next words files i
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="${command:+$command }${COMP_WORDS[i]}"
    case "$next" in
    "analyze"|"bench"|"check"|"devices"|"figure"|"generate"|"inspect"|"query"|"record"|"series"|"steer"|"steer check"|"steer new"|"tokenize"|"verify") command=$next ;;
    esac
  done
  COMPREPLY=()
  case "$command $before" in
    " --plugins") COMPREPLY=($(compgen -d -- "$word")); return ;;
    "verify --reference") :; return ;;
    "verify --device") :; return ;;
    "verify --dtype") COMPREPLY=($(compgen -W "auto bf16 f16 f32 q4_0 q8_0" -- "$word")); return ;;
    "verify --compat") COMPREPLY=($(compgen -W "authors transformers" -- "$word")); return ;;
    "verify --threads") :; return ;;
    "verify --tolerance") :; return ;;
    "tokenize --tokenizer") COMPREPLY=($(compgen -f -- "$word")); return ;;
    "tokenize -m"|"tokenize --model") COMPREPLY=($(compgen -d -- "$word")); return ;;
    "tokenize --text") :; return ;;
    "tokenize --decode") :; return ;;
    "generate -m"|"generate --model") COMPREPLY=($(compgen -d -- "$word")); return ;;
    "generate --device") :; return ;;
    "generate --dtype") COMPREPLY=($(compgen -W "auto bf16 f16 f32 q4_0 q8_0" -- "$word")); return ;;
    "generate --rounded-folder") COMPREPLY=($(compgen -d -- "$word")); return ;;
    "generate --threads") :; return ;;
    "generate --compat") COMPREPLY=($(compgen -W "authors transformers" -- "$word")); return ;;
    "generate -p"|"generate --prompt") :; return ;;
    "generate --prompt-file") COMPREPLY=($(compgen -f -- "$word")); return ;;
    "generate --decoder-prefix") :; return ;;
    "generate --system") :; return ;;
    "generate -n"|"generate --max-tokens") :; return ;;
    "generate --temperature") :; return ;;
    "generate --top-p") :; return ;;
    "generate --top-k") :; return ;;
    "generate --min-p") :; return ;;
    "generate --repetition-penalty") :; return ;;
    "generate --seed") :; return ;;
    "generate --stop") :; return ;;
    "generate --steer") COMPREPLY=($(compgen -f -- "$word")); return ;;
    "generate --mode") COMPREPLY=($(compgen -W "from-now-on counterfactual" -- "$word")); return ;;
    "generate --record") COMPREPLY=($(compgen -f -- "$word")); return ;;
    "generate --capture") COMPREPLY=($(compgen -W "none ids weights full" -- "$word")); return ;;
    "record -m"|"record --model") COMPREPLY=($(compgen -d -- "$word")); return ;;
    "record --device") :; return ;;
    "record --dtype") COMPREPLY=($(compgen -W "auto bf16 f16 f32 q4_0 q8_0" -- "$word")); return ;;
    "record --rounded-folder") COMPREPLY=($(compgen -d -- "$word")); return ;;
    "record --threads") :; return ;;
    "record --compat") COMPREPLY=($(compgen -W "authors transformers" -- "$word")); return ;;
    "record --corpus") COMPREPLY=($(compgen -f -- "$word")); return ;;
    "record -o"|"record --out") COMPREPLY=($(compgen -f -- "$word")); return ;;
    "record --label-from") COMPREPLY=($(compgen -W "auto folder file field" -- "$word")); return ;;
    "record --split") :; return ;;
    "record --max-tokens") :; return ;;
    "record --max-text-tokens") :; return ;;
    "record --context") :; return ;;
    "record --capture") COMPREPLY=($(compgen -W "none ids weights full" -- "$word")); return ;;
    "record --steer") COMPREPLY=($(compgen -f -- "$word")); return ;;
    "record --name") :; return ;;
    "series --checkpoints") COMPREPLY=($(compgen -f -- "$word")); return ;;
    "series --device") :; return ;;
    "series --dtype") COMPREPLY=($(compgen -W "auto bf16 f16 f32 q4_0 q8_0" -- "$word")); return ;;
    "series --rounded-folder") COMPREPLY=($(compgen -d -- "$word")); return ;;
    "series --threads") :; return ;;
    "series --corpus") COMPREPLY=($(compgen -f -- "$word")); return ;;
    "series -o"|"series --out") COMPREPLY=($(compgen -f -- "$word")); return ;;
    "series --label-from") COMPREPLY=($(compgen -W "auto folder file field" -- "$word")); return ;;
    "series --split") :; return ;;
    "series --max-tokens") :; return ;;
    "series --max-text-tokens") :; return ;;
    "series --context") :; return ;;
    "series --capture") COMPREPLY=($(compgen -W "none ids weights full" -- "$word")); return ;;
    "series --steer") COMPREPLY=($(compgen -f -- "$word")); return ;;
    "series --name") :; return ;;
    "query --format") COMPREPLY=($(compgen -W "table csv json jsonl" -- "$word")); return ;;
    "query --timeout") :; return ;;
    "figure --kind") :; return ;;
    "figure -o"|"figure --out") COMPREPLY=($(compgen -f -- "$word")); return ;;
    "figure --size") :; return ;;
    "figure --font-size") :; return ;;
    "figure --theme") COMPREPLY=($(compgen -W "print light dark" -- "$word")); return ;;
    "figure --dpi") :; return ;;
    "figure --param") :; return ;;
    "analyze --analysis") :; return ;;
    "analyze --run") :; return ;;
    "analyze --series") :; return ;;
    "analyze --param") :; return ;;
    "analyze --checkpoint") COMPREPLY=($(compgen -d -- "$word")); return ;;
    "analyze --table") :; return ;;
    "analyze --export") :; return ;;
    "analyze --plugins") COMPREPLY=($(compgen -d -- "$word")); return ;;
    "steer new --ban") :; return ;;
    "steer new --pin") :; return ;;
    "steer new --add") :; return ;;
    "steer new --scale") :; return ;;
    "steer new --top-k") :; return ;;
    "steer new --phase") COMPREPLY=($(compgen -W "both prefill decode" -- "$word")); return ;;
    "steer new --positions") :; return ;;
    "steer new --port") COMPREPLY=($(compgen -W "native logit key" -- "$word")); return ;;
    "steer new --router") COMPREPLY=($(compgen -W "all ffn attention" -- "$word")); return ;;
    "steer new --name") :; return ;;
    "steer check -m"|"steer check --model") COMPREPLY=($(compgen -d -- "$word")); return ;;
    "bench --model") :; return ;;
    "bench --device") :; return ;;
    "bench --dtype") COMPREPLY=($(compgen -W "auto bf16 f16 f32 q4_0 q8_0" -- "$word")); return ;;
    "bench --rounded-folder") COMPREPLY=($(compgen -d -- "$word")); return ;;
    "bench --threads") :; return ;;
    "bench --tokens") :; return ;;
    "bench --context") :; return ;;
    "bench --blocks") :; return ;;
  esac
  case "$command" in
    "") words="inspect check verify tokenize generate record series query figure analyze steer devices bench -h --help --version --verbose --demo --plugins"; files=1 ;;
    "inspect") words="-h --help --json"; files=1 ;;
    "check") words="-h --help --repair --json --quiet"; files=1 ;;
    "verify") words="-h --help --reference --device --dtype --compat --threads --tolerance --token-by-token --json"; files=1 ;;
    "tokenize") words="-h --help --special --json --tokenizer -m --model --text --decode --jsonl"; files=0 ;;
    "generate") words="-h --help -m --model --device --dtype --rounded-folder --threads --compat -p --prompt --prompt-file --decoder-prefix --chat --system -n --max-tokens --temperature --top-p --top-k --min-p --repetition-penalty --seed --stop --ignore-eos --steer --mode --record --capture --json --quiet"; files=0 ;;
    "record") words="-h --help -m --model --device --dtype --rounded-folder --threads --compat --corpus -o --out --label-from --split --max-tokens --max-text-tokens --context --capture --steer --name --resume --json --quiet"; files=0 ;;
    "series") words="-h --help --checkpoints --device --dtype --rounded-folder --threads --corpus -o --out --label-from --split --max-tokens --max-text-tokens --context --capture --steer --name --resume --json --quiet"; files=0 ;;
    "query") words="-h --help --format --timeout"; files=1 ;;
    "figure") words="-h --help --kind -o --out --size --font-size --theme --dpi --param --data --text-as-paths --json"; files=1 ;;
    "analyze") words="-h --help --analysis --run --series --param --checkpoint --list --json --csv --table --export --plugins --keep --quiet"; files=1 ;;
    "steer") words="new check -h --help"; files=0 ;;
    "steer new") words="-h --help --ban --pin --add --scale --top-k --uniform --phase --positions --port --router --name"; files=0 ;;
    "steer check") words="-h --help -m --model --json"; files=1 ;;
    "devices") words="-h --help --json"; files=0 ;;
    "bench") words="-h --help --model --device --dtype --rounded-folder --threads --tokens --context --blocks --self-test --json"; files=1 ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  if [ "$files" = 1 ] && [[ $word != -* ]]; then COMPREPLY+=($(compgen -f -- "$word")); fi
}
complete -o filenames -F _moescope moescope
