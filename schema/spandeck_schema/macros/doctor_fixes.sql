-- grain: the line that mends a finding for scopes like a glob; of two scopes the one with the lower rank goes
-- {scope} and {detail} stand for those of the finding.
create or replace macro store.doctor_fixes() as table
    from (
        values
        ('no_usage_of_stream', '*openai_agents', 10, 'agents.ModelSettings(include_usage=True)'),
        (
            'no_usage_of_stream', '*langchain', 10,
            'ChatOpenAI(model=..., stream_usage=True)'
        ),
        (
            'no_usage_of_stream', '*litellm*', 10,
            'litellm.completion(..., stream=True, stream_options={"include_usage": True})'
        ),
        (
            'no_usage_of_stream', '*openai*', 20,
            'client.chat.completions.create(..., stream=True, stream_options={"include_usage": True})'
        ),
        ('no_usage_of_stream', 'spandeck*', 20, 'call.usage(input_tokens=..., output_tokens=...)'),
        (
            'no_usage_of_stream', '*', 90,
            'Ask the model for usage in streams (OpenAI: stream_options={"include_usage": True}), then: '
            'span.set_attribute("gen_ai.usage.input_tokens", n); span.set_attribute("gen_ai.usage.output_tokens", n)'
        ),
        (
            'no_usage', 'openinference.instrumentation.crewai', 10,
            'CrewAIInstrumentor().instrument(use_event_listener=True, create_llm_spans=True)'
        ),
        (
            'no_usage', '*openai_agents', 20,
            'agents.set_default_openai_api("responses")'
        ),
        ('no_usage', 'spandeck*', 20, 'call.usage(input_tokens=..., output_tokens=...)'),
        (
            'no_usage', '*', 90,
            'span.set_attribute("gen_ai.usage.input_tokens", n); span.set_attribute("gen_ai.usage.output_tokens", n)'
        ),
        (
            'unpriced_model', '*', 90,
            'spandeck prices import prices.toml, with a [[prices]] entry for {detail}; a new model: '
            'pip install --upgrade genai-prices && spandeck up; a known one under a name of your own: '
            'span.set_attribute("gen_ai.response.model", "the name that its provider gives it, for {detail}")'
        ),
        (
            'unmatched_price_context', '*', 90,
            'spandeck prices import prices.toml, with a [[prices]] entry for {detail} (service_tier = "...")'
        ),
        ('no_time_to_first_token', '*anthropic*', 20, 'export ANTHROPIC_OPEN_TELEMETRY=true'),
        (
            'no_time_to_first_token', '*openai*', 20,
            'pip install opentelemetry-instrumentation-genai-openai; OpenAIInstrumentor().instrument() in place of '
            '{scope}'
        ),
        (
            'no_time_to_first_token', '*langchain', 20,
            'pip install opentelemetry-instrumentation-genai-langchain; LangChainInstrumentor().instrument() '
            'in place of {scope}'
        ),
        ('no_time_to_first_token', 'litellm', 20, 'export LITELLM_OTEL_V2=true'),
        ('no_time_to_first_token', 'spandeck*', 20, 'for chunk in call.stream(answer): ...'),
        (
            'no_time_to_first_token', '*', 90,
            'span.set_attribute("gen_ai.response.time_to_first_chunk", seconds_to_first_chunk)'
        ),
        ('double_instrumentation', 'com.anthropic.sdk.*', 10, 'export ANTHROPIC_OPEN_TELEMETRY=false'),
        ('double_instrumentation', 'com.anthropic.claude_code.events', 10, 'export OTEL_LOGS_EXPORTER=none'),
        (
            'double_instrumentation', 'openlit*', 20,
            'openlit.init(disabled_instrumentors=["openai", "anthropic"])'
        ),
        (
            'double_instrumentation', 'opentelemetry.instrumentation.genai.*', 40,
            'export OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=genai-openai,genai-anthropic,genai-langchain'
        ),
        (
            'double_instrumentation', 'opentelemetry.instrumentation.openai_v2', 40,
            'export OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=openai_v2'
        ),
        (
            'double_instrumentation', 'opentelemetry.instrumentation.*', 30,
            'Traceloop.init(block_instruments={Instruments.OPENAI, Instruments.ANTHROPIC})'
        ),
        (
            'double_instrumentation', 'openinference.instrumentation.*', 35,
            'Take the instrument() call of {scope} out of the program, or call uninstrument() of the same instrumentor.'
        ),
        ('double_instrumentation', 'litellm', 35, 'litellm.callbacks.remove("otel")'),
        ('double_instrumentation', '*', 90, 'Take the set-up of {scope} out of the program.'),
        (
            'orphan_spans', '*', 90,
            'Before the program ends: trace.get_tracer_provider().shutdown(); in every service of the trace: '
            'export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318'
        ),
        ('clock_skew', '*', 90, 'sudo timedatectl set-ntp true'),
        (
            'truncated', '*', 90,
            'export OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT=2048 OTEL_SPAN_EVENT_COUNT_LIMIT=1024 '
            'OTEL_SPAN_LINK_COUNT_LIMIT=1024'
        ),
        (
            'unknown_dialect', '*', 90,
            'span.set_attribute("gen_ai.operation.name", "chat"); span.set_attribute("gen_ai.request.model", model); '
            'span.set_attribute("gen_ai.usage.input_tokens", n); span.set_attribute("gen_ai.usage.output_tokens", n)'
        ),
        ('cost_differs', 'openlit*', 20, 'openlit.init(pricing_json="prices.json")'),
        (
            'cost_differs', 'litellm', 20,
            'litellm.register_model({"{detail}": {"input_cost_per_token": ..., "output_cost_per_token": ...}})'
        ),
        (
            'cost_differs', '*', 90,
            'spandeck sql "select price_id, input_tokens, output_tokens, cost_usd, reported_cost_usd from llm_calls '
            'where reported_cost_usd is not null limit 20"'
        )
    ) as fixes (fix_key, scope_pattern, rank, fix);
